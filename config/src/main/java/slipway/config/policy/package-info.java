/**
 * Whose signatures an image must have before it is used (containers-policy.json(5)). Entry: {@link
 * slipway.config.policy.SignaturePolicy}, which makes a source of another one that gives signed
 * images alone.
 *
 * <pre>
 *  /etc/containers/policy.json
 *    {"default":    [REQUIREMENT…],
 *     "transports": {"docker": {"host/a/b:tag": […], "host/a/b": […], "host/a": […], "host": […],
 *                               "*.host": […], "": […]}}}      the narrowest scope counts alone
 *  REQUIREMENT
 *    {"type": "insecureAcceptAnything"} or {"type": "reject"}
 *    {"type": "sigstoreSigned", "keyPath" | "keyPaths" | "keyData" | "keyDatas": …,
 *     "signedIdentity": …}                                      all requirements must be met
 *
 *  signatures of host/a/b@sha256:HEX, as cosign attaches them: host/a/b:sha256-HEX.sig, a manifest
 *    layers: payload (JSON, "simple signing"), each with its signature as an annotation
 *
 *  /etc/containers/registries.d/*.yaml
 *    default-docker: {use-sigstore-attachments: false}, docker: {SCOPE: {…}}   none are looked for
 * </pre>
 *
 * What is not known here, such as keys of GPG or certificates of Fulcio, is never met.
 */
@org.jspecify.annotations.NullMarked
package slipway.config.policy;
