package slipway.ostree.gvariant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Objects;

class GVariantTest {
  /** Examples of the GVariant specification, section 2.5. */
  @Test
  void serializesTheSpecificationsExamples() {
    assertThat(hex(GVariant.string("hello world"))).isEqualTo("68656c6c6f20776f726c6400");
    assertThat(hex(GVariant.tuple(GVariant.string("foo"), GVariant.i32(-1))))
        .isEqualTo("666f6f00ffffffff04");
    GVariant hi = GVariant.tuple(GVariant.string("hi"), GVariant.i32(-2));
    GVariant bye = GVariant.tuple(GVariant.string("bye"), GVariant.i32(-1));
    assertThat(hex(GVariant.array("(si)", List.of(hi, bye))))
        .isEqualTo("68690000feffffff0300000062796500ffffffff040915");
    assertThat(hex(GVariant.strings(List.of("i", "can", "has", "strings?"))))
        .isEqualTo("690063616e0068617300737472696e67733f0002060a13");
    GVariant nested =
        GVariant.tuple(GVariant.tuple(GVariant.u8('i'), GVariant.strings(List.of("can"))));
    assertThat(nested.child(0).child(1).asStrings()).containsExactly("can");
    assertThat(hex(GVariant.entry(GVariant.string("a key"), GVariant.variant(GVariant.i32(514)))))
        .isEqualTo("61206b657900000002020000006906");
    assertThat(hex(GVariant.array("i", List.of(GVariant.i32(4), GVariant.i32(258)))))
        .isEqualTo("0400000002010000");
    assertThat(hex(GVariant.tuple(GVariant.u8(0x70), GVariant.i32(1), GVariant.u8(0x80))))
        .isEqualTo("700000000100000080000000");
  }

  @Test
  void offsetsGrowWithTheSize() {
    for (int length : new int[] {0, 1, 252, 253, 254, 65_530, 65_531, 65_532, 70_000}) {
      GVariant pair = GVariant.tuple(GVariant.string("x".repeat(length)), GVariant.string(""));
      assertThat(pair.child(0).asString()).hasSize(length);
      assertThat(pair.isNormal()).isTrue();
      int body = length + 2;
      int expected = body + (body + 1 <= 255 ? 1 : body + 2 <= 65535 ? 2 : 4);
      assertThat(pair.size()).isEqualTo(expected);
    }
  }

  @Test
  void dictionariesKeepTheirOrder() {
    Map<String, GVariant> map = new LinkedHashMap<>();
    map.put("z", GVariant.string("last"));
    map.put("a", GVariant.bytes(new byte[] {1, 2}));
    map.put("m", GVariant.bool(true));
    GVariant again = GVariant.parse("a{sv}", GVariant.dictionary(map).toBytes());
    assertThat(again.asMap()).containsExactlyEntriesOf(map);
    assertThat(again.isNormal()).isTrue();
  }

  @Test
  void knownObjects() {
    assertThat(Checksum.sha256(Objects.dirTree(Map.of(), Map.of())).hex())
        .isEqualTo("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assertThat(
            Checksum.sha256(
                    Objects.metadata(slipway.archive.tar.Metadata.directory(0755)).toBytes())
                .hex())
        .isEqualTo("446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488");
  }

  /** Whatever the bytes, reading ends in a value or a Problem, and never elsewhere. */
  @Test
  void survivesDamage() {
    long seed = 20_260_101;
    Random random = new Random(seed);
    byte[] good =
        GVariant.tuple(
                GVariant.dictionary(
                    Map.of("k", GVariant.string("v"), "l", GVariant.strings(List.of("a", "b")))),
                GVariant.bytes(new byte[32]),
                GVariant.array("(say)", List.of()),
                GVariant.string("s"),
                GVariant.string("b"),
                GVariant.u64(1),
                GVariant.bytes(new byte[32]),
                GVariant.bytes(new byte[32]))
            .toBytes();
    for (int round = 0; round < 20_000; round++) {
      byte[] bad = good.clone();
      for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      byte[] cut = java.util.Arrays.copyOf(bad, bad.length - random.nextInt(3));
      try {
        GVariant.parse(Objects.COMMIT_TYPE, cut).isNormal();
        Objects.commit(new Checksum("0".repeat(64)), cut);
      } catch (Problem e) {
        assertThat(e.kind()).as("seed %d round %d", seed, round).isEqualTo(Problem.Kind.CORRUPT);
      }
    }
  }

  @Test
  void refusesTypesThatOstreeLacks() {
    for (String type : new String[] {"", "m", "ms", "(", "a", "{s}", "z", "ss", "a".repeat(300)}) {
      assertThatThrownBy(() -> GVariant.parse(type, new byte[0]))
          .as(type)
          .isInstanceOf(Problem.class);
    }
  }

  @Test
  void directoryNamesAreChecked() {
    List<GVariant> files = new ArrayList<>();
    for (String name : new String[] {"..", ".", "", "a/b", "/"}) {
      files.clear();
      files.add(GVariant.tuple(GVariant.string(name), GVariant.bytes(new byte[32])));
      byte[] tree =
          GVariant.tuple(GVariant.array("(say)", files), GVariant.array("(sayay)", List.of()))
              .toBytes();
      assertThatThrownBy(() -> Objects.dirTree(tree)).as(name).isInstanceOf(Problem.class);
    }
  }

  private static String hex(GVariant value) {
    return HexFormat.of().formatHex(value.toBytes());
  }
}
