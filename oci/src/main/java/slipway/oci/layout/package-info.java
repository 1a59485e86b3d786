/** The OCI image layout and its folder of blobs. */
@org.jspecify.annotations.NullMarked
package slipway.oci.layout;
