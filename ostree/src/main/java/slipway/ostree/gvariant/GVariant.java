package slipway.ostree.gvariant;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;

/**
 * A typed value in GVariant's serialized form, little-endian (the GVariant specification by Allison
 * Lortie). Immutable; a child is a view into its parent's bytes. Reading is strict: what is not in
 * normal form is a {@link Problem} of kind CORRUPT, at the latest when the damaged part is read.
 * Maybe types are not supported, ostree has none.
 */
public final class GVariant {
  private final Signature type;
  private final byte[] data;
  private final int start;
  private final int length;

  private GVariant(Signature type, byte[] data, int start, int length) {
    this.type = type;
    this.data = data;
    this.start = start;
    this.length = length;
    if (type.isFixed() && length != type.fixedSize()) {
      throw broken("it has " + length + " bytes");
    }
  }

  /**
   * Takes serialized bytes, which must not change any more.
   *
   * @param type a GVariant type string such as {@code a{sv}}
   */
  public static GVariant parse(String type, byte[] bytes) {
    return new GVariant(Signature.of(type), bytes, 0, bytes.length);
  }

  // ---- making values ----

  public static GVariant bool(boolean value) {
    return fixed("b", 1, b -> b.put((byte) (value ? 1 : 0)));
  }

  public static GVariant u8(int value) {
    return fixed("y", 1, b -> b.put((byte) value));
  }

  public static GVariant i32(int value) {
    return fixed("i", 4, b -> b.putInt(value));
  }

  /** An unsigned 32-bit number in the bits of {@code value}. */
  public static GVariant u32(int value) {
    return fixed("u", 4, b -> b.putInt(value));
  }

  /** As {@link #u32} with the bytes swapped, as ostree stores its numbers. */
  public static GVariant u32be(int value) {
    return u32(Integer.reverseBytes(value));
  }

  public static GVariant i64(long value) {
    return fixed("x", 8, b -> b.putLong(value));
  }

  /** An unsigned 64-bit number in the bits of {@code value}. */
  public static GVariant u64(long value) {
    return fixed("t", 8, b -> b.putLong(value));
  }

  /** As {@link #u64} with the bytes swapped, as ostree stores its numbers. */
  public static GVariant u64be(long value) {
    return u64(Long.reverseBytes(value));
  }

  public static GVariant string(String value) {
    return string(RawText.encode(value));
  }

  /** Of type {@code s}, from the bytes of UTF-8 text without NUL. */
  public static GVariant string(byte[] utf8) {
    byte[] bytes = Arrays.copyOf(utf8, utf8.length + 1);
    return parse("s", bytes);
  }

  /** Of type {@code ay}. */
  public static GVariant bytes(byte[] value) {
    return parse("ay", value.clone());
  }

  /** Of type {@code ay} with a NUL at the end, as file names and attribute names are kept. */
  public static GVariant byteString(OsPath value) {
    byte[] bytes = value.bytes();
    return parse("ay", Arrays.copyOf(bytes, bytes.length + 1));
  }

  /** Of type {@code as}. */
  public static GVariant strings(List<String> values) {
    return array("s", values.stream().map(GVariant::string).toList());
  }

  /** A tuple of these members. */
  public static GVariant tuple(GVariant... members) {
    StringBuilder type = new StringBuilder("(");
    for (GVariant m : members) {
      type.append(m.type());
    }
    return GVariantWriter.container(Signature.of(type.append(')').toString()), List.of(members));
  }

  /** A value wrapped in type {@code v}. */
  public static GVariant variant(GVariant value) {
    byte[] name = value.type().getBytes(StandardCharsets.US_ASCII);
    byte[] bytes = new byte[value.length + 1 + name.length];
    System.arraycopy(value.data, value.start, bytes, 0, value.length);
    System.arraycopy(name, 0, bytes, value.length + 1, name.length);
    return parse("v", bytes);
  }

  /** An array; all elements have the type {@code elementType}. */
  public static GVariant array(String elementType, List<GVariant> elements) {
    for (GVariant e : elements) {
      if (!e.type().equals(elementType)) {
        throw new IllegalArgumentException(e.type() + " in an array of " + elementType);
      }
    }
    return GVariantWriter.container(Signature.of("a" + elementType), elements);
  }

  /** Of type {@code a{sv}}, in the map's order. */
  public static GVariant dictionary(Map<String, GVariant> values) {
    List<GVariant> entries = new ArrayList<>();
    values.forEach((key, value) -> entries.add(entry(string(key), variant(value))));
    return array("{sv}", entries);
  }

  /** A dictionary entry. */
  public static GVariant entry(GVariant key, GVariant value) {
    return GVariantWriter.container(
        Signature.of("{" + key.type() + value.type() + "}"), List.of(key, value));
  }

  private interface Put {
    void into(ByteBuffer buffer);
  }

  private static GVariant fixed(String type, int size, Put put) {
    ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    put.into(buffer);
    return parse(type, buffer.array());
  }

  // ---- reading ----

  /** The type string. */
  public String type() {
    return type.text();
  }

  Signature signature() {
    return type;
  }

  /** Size of the serialized form in bytes. */
  public int size() {
    return length;
  }

  /** The serialized form, a fresh copy. */
  public byte[] toBytes() {
    return Arrays.copyOfRange(data, start, start + length);
  }

  void copyTo(byte[] target, int at) {
    System.arraycopy(data, start, target, at, length);
  }

  public boolean asBoolean() {
    expect("b");
    byte value = data[start];
    if (value != 0 && value != 1) {
      throw broken("a boolean is " + value);
    }
    return value == 1;
  }

  public int asU8() {
    expect("y");
    return data[start] & 0xff;
  }

  /** The bits of type {@code u} or {@code i}. */
  public int asInt() {
    if (type.kind() != 'u') {
      expect("i");
    }
    return buffer().getInt(start);
  }

  public int asIntBe() {
    return Integer.reverseBytes(asInt());
  }

  /** The bits of type {@code t} or {@code x}. */
  public long asLong() {
    if (type.kind() != 't') {
      expect("x");
    }
    return buffer().getLong(start);
  }

  public long asLongBe() {
    return Long.reverseBytes(asLong());
  }

  /** Text of type {@code s}; bytes that are not UTF-8 as {@link RawText} has them. */
  public String asString() {
    return RawText.decode(stringBytes());
  }

  /** As {@link #asString} but as a path, which keeps the bytes. */
  public OsPath asPath() {
    OsPath path = OsPath.ofBytes(stringBytes());
    if (!path.isUtf8()) {
      throw broken("a string is not UTF-8");
    }
    return path;
  }

  private byte[] stringBytes() {
    expect("s");
    if (length == 0 || data[start + length - 1] != 0) {
      throw broken("a string does not end in NUL");
    }
    for (int i = start; i < start + length - 1; i++) {
      if (data[i] == 0) {
        throw broken("a string holds a NUL");
      }
    }
    return Arrays.copyOfRange(data, start, start + length - 1);
  }

  /** The bytes of type {@code ay}. */
  public byte[] asBytes() {
    expect("ay");
    return toBytes();
  }

  /** A byte string of type {@code ay} that ends in its only NUL. */
  public OsPath asByteString() {
    expect("ay");
    for (int i = 0; i < length; i++) {
      if ((data[start + i] == 0) != (i == length - 1)) {
        throw broken("a byte string does not end in its only NUL");
      }
    }
    if (length == 0) {
      throw broken("a byte string is empty");
    }
    return OsPath.ofBytes(Arrays.copyOfRange(data, start, start + length - 1));
  }

  /** What a value of type {@code v} holds. */
  public GVariant asVariant() {
    expect("v");
    int zero = start + length - 1;
    while (zero >= start && data[zero] != 0) {
      zero--;
    }
    if (zero < start) {
      throw broken("a variant names no type");
    }
    String name =
        new String(data, zero + 1, start + length - zero - 1, StandardCharsets.ISO_8859_1);
    return new GVariant(Signature.of(name), data, start, zero - start);
  }

  /** Number of elements of an array, or of members of a tuple or entry. */
  public int count() {
    return children().count();
  }

  /** An element of an array or a member of a tuple or entry, counted from 0. */
  public GVariant child(int index) {
    return children().get(index);
  }

  /** All elements or members; the way to go through a long array. */
  public List<GVariant> elements() {
    Children children = children();
    List<GVariant> list = new ArrayList<>(children.count());
    for (int i = 0; i < children.count(); i++) {
      list.add(children.get(i));
    }
    return list;
  }

  /** A list of strings, type {@code as}. */
  public List<String> asStrings() {
    expect("as");
    return elements().stream().map(GVariant::asString).toList();
  }

  /**
   * Type {@code a{sv}} as a map in the order of the data, values taken out of their variants. A
   * repeated key is refused.
   */
  public Map<String, GVariant> asMap() {
    expect("a{sv}");
    Map<String, GVariant> map = new LinkedHashMap<>();
    for (GVariant entry : elements()) {
      String key = entry.child(0).asString();
      if (map.put(key, entry.child(1).asVariant()) != null) {
        throw broken("the key \"" + key + "\" stands twice");
      }
    }
    return map;
  }

  /**
   * Whether the bytes are exactly what a writer makes of the value: padding is zero, offsets are as
   * small as they can be, strings are text.
   */
  public boolean isNormal() {
    try {
      GVariant again = rebuilt();
      return again.length == length
          && Arrays.equals(
              again.data, again.start, again.start + length, data, start, start + length);
    } catch (Problem e) {
      return false;
    }
  }

  private GVariant rebuilt() {
    return switch (type.kind()) {
      case 'b' -> bool(asBoolean());
      case 's' -> string(asString());
      case 'v' -> variant(asVariant().rebuilt());
      case 'a' ->
          type.element().text().equals("y") ? this : GVariantWriter.container(type, rebuiltAll());
      case '(', '{' -> GVariantWriter.container(type, rebuiltAll());
      default -> this;
    };
  }

  private List<GVariant> rebuiltAll() {
    return elements().stream().map(GVariant::rebuilt).toList();
  }

  private ByteBuffer buffer() {
    return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void expect(String wanted) {
    if (!type.text().equals(wanted)) {
      throw broken("\"" + wanted + "\" was expected there");
    }
  }

  private Problem broken(String why) {
    return Problem.corrupt(damage(why));
  }

  private String damage(String why) {
    return "a GVariant of type \"" + type.text() + "\" is damaged: " + why;
  }

  // ---- where children lie ----

  /** Start and end of every child, relative to the container. */
  private final class Children {
    private final int[] starts;
    private final int[] ends;

    Children(int[] starts, int[] ends) {
      this.starts = starts;
      this.ends = ends;
    }

    int count() {
      return starts.length;
    }

    GVariant get(int index) {
      Signature child = type.kind() == 'a' ? type.element() : type.members().get(index);
      return new GVariant(child, data, start + starts[index], ends[index] - starts[index]);
    }
  }

  private Children children() {
    return switch (type.kind()) {
      case 'a' -> type.element().isFixed() ? fixedElements() : variableElements();
      case '(', '{' -> members();
      default -> throw new IllegalStateException("type " + type.text() + " has no children");
    };
  }

  private Children fixedElements() {
    int size = type.element().fixedSize();
    if (length % size != 0) {
      throw broken("its length is no multiple of the element's");
    }
    int[] starts = new int[length / size];
    int[] ends = new int[starts.length];
    for (int i = 0; i < starts.length; i++) {
      starts[i] = i * size;
      ends[i] = starts[i] + size;
    }
    return new Children(starts, ends);
  }

  private Children variableElements() {
    if (length == 0) {
      return new Children(new int[0], new int[0]);
    }
    int width = GVariantWriter.offsetWidth(length);
    int table = offset(length - width, width);
    if (table > length - width || (length - table) % width != 0) {
      throw broken("its offsets lie outside");
    }
    int count = (length - table) / width;
    int[] starts = new int[count];
    int[] ends = new int[count];
    int at = 0;
    for (int i = 0; i < count; i++) {
      starts[i] = Signature.align(at, type.element().alignment());
      ends[i] = offset(table + i * width, width);
      check(starts[i], ends[i], table);
      at = ends[i];
    }
    return new Children(starts, ends);
  }

  private Children members() {
    List<Signature> types = type.members();
    int[] starts = new int[types.size()];
    int[] ends = new int[types.size()];
    int width = type.isFixed() ? 0 : GVariantWriter.offsetWidth(length);
    int offsets = 0;
    for (int i = 0; i < types.size() - 1; i++) {
      offsets += types.get(i).isFixed() ? 0 : 1;
    }
    int limit = length - offsets * width;
    int used = 0;
    int at = 0;
    for (int i = 0; i < types.size(); i++) {
      Signature member = types.get(i);
      starts[i] = Signature.align(at, member.alignment());
      if (member.isFixed()) {
        ends[i] = starts[i] + member.fixedSize();
      } else if (i == types.size() - 1) {
        ends[i] = limit;
      } else {
        used++;
        ends[i] = offset(length - used * width, width);
      }
      check(starts[i], ends[i], limit);
      at = ends[i];
    }
    return new Children(starts, ends);
  }

  private void check(int from, int to, int limit) {
    if (from > to || to > limit) {
      throw broken("its offsets lie outside");
    }
  }

  private int offset(int at, int width) {
    if (at < 0 || at + width > length) {
      throw broken("it is cut off");
    }
    long value =
        switch (width) {
          case 1 -> data[start + at] & 0xff;
          case 2 -> buffer().getShort(start + at) & 0xffff;
          default -> buffer().getInt(start + at) & 0xffffffffL;
        };
    if (value > length) {
      throw broken("its offsets lie outside");
    }
    return (int) value;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof GVariant v
        && v.type.text().equals(type.text())
        && Arrays.equals(v.data, v.start, v.start + v.length, data, start, start + length);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(toBytes());
  }

  @Override
  public String toString() {
    return type.text() + " of " + length + " bytes";
  }
}
