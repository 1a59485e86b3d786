/**
 * GVariant, the encoding of ostree's objects: a value is bytes without any type in them, and
 * whoever reads knows the type. {@link slipway.ostree.gvariant.GVariant} is both writer and reader,
 * little-endian; ostree stores its numbers big-endian inside ({@code u32be}, {@code asIntBe}).
 *
 * <pre>
 *  type          aligned to   size
 *  b y           1            1 byte
 *  n q           2            2
 *  i u h         4            4
 *  x t d         8            8
 *  s o g         1            text, and a NUL
 *  v             8            value, a NUL, the value's type as text
 *  aT            as T         elements
 *  (T…) {KT}     the largest  members, in order; fixed in size when all of them are
 *                of a member
 *
 *  What lies inside a container begins at a multiple of its alignment; zeros fill the gap. Where
 *  sizes vary, the container's end says where each child ends (framing offsets, unsigned):
 *
 *    array of fixed size    e e e                   count = length / size of e
 *    other array            e e e │ end end end     one for each element, in order; the last one
 *                                                   is where the table begins
 *    tuple, entry           m m m │ end end         none for members of fixed size, none for the
 *                                                   last member; in reverse order
 *
 *    width of an offset: 1 byte in a container of up to 255 bytes, 2 up to 65,535, else 4
 *
 *  Example: ("ab", byte 7) of type (sy)
 *    0  61 62 00    the string
 *    3  07          the byte
 *    4  03          where the string ends
 * </pre>
 *
 * Maybe types are refused, ostree has none. {@code Signature} parses types, {@code GVariantWriter}
 * lays containers out.
 */
@org.jspecify.annotations.NullMarked
package slipway.ostree.gvariant;
