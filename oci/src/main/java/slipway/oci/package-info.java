/** Images as values: references, digests, manifests, stores, registries, transfer. */
@org.jspecify.annotations.NullMarked
package slipway.oci;
