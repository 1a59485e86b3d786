/** Archives, folders and other tools' stores, named as containers-transports(5) has it. */
@org.jspecify.annotations.NullMarked
package slipway.oci.transport;
