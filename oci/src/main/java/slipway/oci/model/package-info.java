/** Images as values: references, digests, descriptors, manifests, configs. Raw bytes are kept. */
@org.jspecify.annotations.NullMarked
package slipway.oci.model;
