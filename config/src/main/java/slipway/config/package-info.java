/**
 * The client files that podman, skopeo and docker share with us. What comes of them are sources and
 * credentials that {@code slipway.oci} takes without knowing of the files.
 *
 * <pre>
 *  registries.conf, registries.conf.d ─▶ registries.RegistriesConf ─▶ Registries ─▶ ImageSource
 *  auth.json, config.json of docker   ─▶ auth.AuthFile ─▶ CredentialSource
 *                                            ▲
 *                                  login, logout write one
 *  policy.json, registries.d          ─▶ policy.SignaturePolicy ─▶ SignedSource, an ImageSource
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.config;
