/** auth.json as podman, docker and skopeo have it, and its credential helpers. */
@org.jspecify.annotations.NullMarked
package slipway.config.auth;
