/** GVariant, the serialisation of ostree's objects. */
@org.jspecify.annotations.NullMarked
package slipway.ostree.gvariant;
