/**
 * auth.json as podman, docker and skopeo have it, and its credential helpers. Entry: {@link
 * slipway.config.auth.AuthFile}.
 *
 * <pre>
 *  for a user        --authfile or $REGISTRY_AUTH_FILE alone; else the first that knows:
 *                    $XDG_RUNTIME_DIR/containers/auth.json or /run/containers/UID/auth.json
 *                    $XDG_CONFIG_HOME/containers/auth.json, ~/.config when that is not set
 *                    ~/.docker/config.json
 *  for a machine     auth.json in /run/ostree, /etc/ostree, /usr/lib/ostree: the first that exists
 *
 *  {"auths":       {"host/a/b": {"auth": base64 of user:password},
 *                   "host":     {}},           nothing in it: the store below has it
 *   "credHelpers": {"host": "NAME"},           docker-credential-NAME get
 *   "credsStore":  "NAME"}
 *
 *  asked for host/a/b:  host/a/b, host/a, host; then what docker wrote as a URL; then the store
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.config.auth;
