package slipway.disk.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import slipway.base.Problem;

/** {@code [customizations.disk]}: how a disk is divided. */
class DiskKeysTest {
  @TempDir Path directory;

  private DiskConfig parse(String name, String text) {
    try {
      return DiskConfig.parse(Files.writeString(directory.resolve(name), text));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theDisksTableIsRead() {
    assertThat(parse("disk.toml", "[customizations.disk]\ntype = \"dos\"\nminsize = \"20 GiB\"\n"))
        .extracting(DiskConfig::layout)
        .isEqualTo(new DiskLayout(PartitionTable.DOS, 20L << 30, 0, List.of()));
    assertThat(parse("none.toml", "[customizations.disk]\n").layout()).isEqualTo(DiskLayout.USUAL);
    DiskConfig gpt = parse("gpt.toml", "[customizations.disk]\ntype = \"gpt\"\n");
    assertThat(gpt.withTable(PartitionTable.GPT)).isEqualTo(gpt);
    assertThatThrownBy(() -> gpt.withTable(PartitionTable.DOS))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("--partition-table says another table");
  }

  static final String PARTITIONS =
      """
      [customizations.disk]
      type = "gpt"
      minsize = "20 GiB"
      start_offset = "4 MiB"
      sector_size = 512

      [[customizations.disk.partitions]]
      mountpoint = "/"
      fs_type = "xfs"
      label = "sys"
      minsize = "8 GiB"

      [[customizations.disk.partitions]]
      type = "plain"
      fs_type = "swap"
      label = "swp"
      minsize = "1 GiB"

      [[customizations.disk.partitions]]
      mountpoint = "/var/home"
      minsize = 1073741824
      part_type = "933AC7E1-2EB4-4F13-B844-0E14E2AEF915"
      part_label = "people's homes"
      part_uuid = "6264d520-3fb9-423f-8ab8-7a0a8e3d3562"

      [[customizations.disk.partitions]]
      mountpoint = "/boot/efi"
      minsize = "256 MiB"

      [[customizations.disk.partitions]]
      fs_type = "none"
      minsize = "1 MiB"
      """;

  @Test
  void theDisksPartitionsAreRead() {
    DiskLayout layout = parse("disk.toml", PARTITIONS).layout();
    String at = "customizations.disk.partitions";
    assertThat(layout)
        .isEqualTo(
            new DiskLayout(
                PartitionTable.GPT,
                20L << 30,
                4L << 20,
                List.of(
                    new DiskLayout.Partition(
                        at + "[0]",
                        8L << 30,
                        null,
                        null,
                        null,
                        new PartitionContent.Files("/", RootFileSystem.XFS, "sys")),
                    new DiskLayout.Partition(
                        at + "[1]", 1L << 30, null, null, null, new PartitionContent.Swap("swp")),
                    new DiskLayout.Partition(
                        at + "[2]",
                        1L << 30,
                        "933AC7E1-2EB4-4F13-B844-0E14E2AEF915",
                        "people's homes",
                        UUID.fromString("6264d520-3fb9-423f-8ab8-7a0a8e3d3562"),
                        new PartitionContent.Files("/var/home", RootFileSystem.EXT4, "")),
                    new DiskLayout.Partition(
                        at + "[3]",
                        256L << 20,
                        null,
                        null,
                        null,
                        new PartitionContent.Fat("/boot/efi", "", true)),
                    new DiskLayout.Partition(
                        at + "[4]", 1L << 20, null, null, null, new PartitionContent.Nothing()))));
    assertThat(layout.rootfs()).isEqualTo(RootFileSystem.XFS);
  }

  /** A partition's keys, the table's type, and words of the sentence. */
  static Stream<Arguments> wrongPartitions() {
    String all = "mountpoint = \"/var\"\nminsize = 1\n";
    return Stream.of(
        Arguments.of("", "mountpoint = \"/var\"", "[0]: minsize is required"),
        Arguments.of("", "minsize = 1", "[0]: mountpoint is empty"),
        Arguments.of("", all + "minsze = 1", "did you mean minsize?"),
        Arguments.of("", all + "name = \"x\"", "unknown key"),
        Arguments.of("", "minsize = -1\nmountpoint = \"/var\"", "[0].minsize is not a size"),
        Arguments.of(
            "",
            all + "type = \"zfs\"",
            "unknown partition type: \"zfs\"; there are plain, btrfs and lvm"),
        Arguments.of("", all + "type = \"swap\"", "swap is fs_type = \"swap\" of a plain one"),
        Arguments.of(
            "",
            all + "type = \"lvm\"",
            "unknown key \"customizations.disk.partitions[0].mountpoint\""),
        Arguments.of(
            "", all + "fs_type = \"zfs\"", "unsupported filesystem type for \"/var\": zfs"),
        Arguments.of("", all.replace("/var", "var"), "not an absolute path"),
        Arguments.of("", all.replace("/var", "/var/"), "write \"/var\""),
        Arguments.of("", all.replace("/var", "/usr"), "path \"/usr\" is not allowed"),
        Arguments.of("", all.replace("/var", "/etc/x"), "path \"/etc/x\" is not allowed"),
        Arguments.of("", all.replace("/var", "/boot/x"), "path \"/boot/x\" is not allowed"),
        Arguments.of("", all.replace("/var", "/var/a b"), "must be printable ASCII without blanks"),
        Arguments.of("", all.replace("/var", "/var/run"), "/var/run is a link to /run"),
        Arguments.of("", all.replace("/var", "/var/lock/x"), "/var/lock is a link to /run/lock"),
        Arguments.of(
            "",
            all.replace("/var", "/boot") + "fs_type = \"btrfs\"",
            "unsupported filesystem type for \"/boot\": btrfs"),
        Arguments.of(
            "",
            all.replace("/var", "/boot/efi") + "fs_type = \"ext4\"",
            "unsupported filesystem type for \"/boot/efi\": ext4"),
        Arguments.of(
            "",
            all.replace("/var", "/") + "fs_type = \"vfat\"",
            "unsupported filesystem type for \"/\": vfat"),
        Arguments.of(
            "",
            all + "fs_type = \"swap\"",
            "mountpoint for swap partition must be empty (got \"/var\")"),
        Arguments.of(
            "",
            all + "fs_type = \"none\"",
            "mountpoint for none partition must be empty (got \"/var\")"),
        Arguments.of("", "minsize = 1\nfs_type = \"none\"\nlabel = \"x\"", "has no label"),
        Arguments.of("", all + "luks = 1", "[0].luks"),
        Arguments.of("", all + "luks = {}", "[0].luks lacks passphrase"),
        Arguments.of("", all + "luks.passphrase = \"\"", "[0].luks.passphrase"),
        Arguments.of(
            "", all + "luks.passphrase = \"ä\"", "luks.passphrase is not valid; expected 1 to 512"),
        Arguments.of("", all + "luks.passphrase = \"x\"\nluks.tpm = 1", "luks.tpm"),
        Arguments.of(
            "", all.replace("/var", "/boot") + "luks.passphrase = \"x\"", "before anything can be"),
        Arguments.of(
            "", "minsize = 1\nfs_type = \"none\"\nluks.passphrase = \"x\"", "nothing to encrypt"),
        Arguments.of("", all + "label = \"a b\"", "[0].label: \"a b\" is not valid"),
        Arguments.of("", all + "label = \"12345678901234567\"", "at most 16"),
        Arguments.of("", all + "fs_type = \"xfs\"\nlabel = \"1234567890123\"", "at most 12"),
        Arguments.of("", all + "part_label = \"" + "x".repeat(37) + "\"", "at most 36"),
        Arguments.of("", all + "part_label = 'a\"b'", "quotes"),
        Arguments.of("", all + "part_uuid = \"x\"", "a UUID such as"),
        Arguments.of("", all + "part_type = \"x\"", "invalid partition part_type \"x\""),
        Arguments.of("gpt", all + "part_type = \"83\"", "\"gpt\" (must be a valid UUID)"),
        Arguments.of(
            "dos",
            all + "part_type = \"" + new UUID(1, 1) + "\"",
            "(must be a 2-digit hex number)"),
        Arguments.of(
            "gpt", all + "part_type = \"" + new UUID(0, 0) + "\"", "is that of no partition"),
        Arguments.of("gpt", all + "part_uuid = \"" + new UUID(0, 0) + "\"", "none may be zero"),
        Arguments.of("dos", all + "part_type = \"00\"", "is that of no partition"),
        Arguments.of("dos", all + "part_type = \"0F\"", "is that of an extended partition"),
        Arguments.of("dos", all + "part_type = \"ee\"", "makes the table one that stands before"),
        Arguments.of("dos", all + "part_label = \"x\"", "part_label is not supported for dos"),
        Arguments.of(
            "dos",
            all + "part_uuid = \"" + new UUID(1, 1) + "\"",
            "part_uuid is not supported for dos"));
  }

  /** Keys of a btrfs volume, and words of the sentence. */
  static Stream<Arguments> wrongVolumes() {
    String sub = "[[customizations.disk.partitions.subvolumes]]\n";
    String all = sub + "name = \"v\"\nmountpoint = \"/var\"\n";
    return Stream.of(
        Arguments.of("", "btrfs volume requires subvolumes"),
        Arguments.of("mountpoint = \"/\"\n" + all, "is not supported for btrfs volumes"),
        Arguments.of("label = \"x\"\n" + all, "unknown key"),
        Arguments.of(all + "minsize = 1\n", "unknown key"),
        Arguments.of(sub + "mountpoint = \"/var\"\n", "subvolumes[0] lacks name"),
        Arguments.of(sub + "name = \"v\"\n", "mountpoint is empty"),
        Arguments.of(sub + "name = \"a/b\"\nmountpoint = \"/var\"\n", "without slashes"),
        Arguments.of(sub + "name = \"..\"\nmountpoint = \"/var\"\n", "without slashes"),
        Arguments.of(all.replace("/var", "/boot"), "invalid mountpoint \"/boot\" for btrfs"),
        Arguments.of(all.replace("/var", "/boot/efi"), "invalid mountpoint \"/boot/efi\""),
        Arguments.of(all.replace("/var", "/usr"), "path \"/usr\" is not allowed"),
        Arguments.of(
            all + all.replace("/var", "/srv"),
            "subvolumes[1].name: duplicate btrfs subvolume name"),
        Arguments.of(all + all.replace("\"v\"", "\"w\""), "duplicate mountpoint \"/var\""));
  }

  @ParameterizedTest
  @MethodSource("wrongVolumes")
  void aWrongVolumeIsToldWithItsPlace(String keys, String words) {
    String text = "[[customizations.disk.partitions]]\ntype = \"btrfs\"\nminsize = 1\n" + keys;
    assertThatThrownBy(() -> parse("config.toml", text))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("config.toml:")
        .hasMessageContaining("customizations.disk.partitions[0]")
        .hasMessageContaining(words);
  }

  @Test
  void aVolumeIsRead() {
    String text =
        """
        [[customizations.disk.partitions]]
        type = "btrfs"
        minsize = "8 GiB"
        [[customizations.disk.partitions.subvolumes]]
        name = "@"
        mountpoint = "/"
        """;
    DiskLayout layout = parse("btrfs.toml", text).layout();
    assertThat(layout.partitions().getFirst().content())
        .isEqualTo(new PartitionContent.Btrfs(List.of(new PartitionContent.Subvolume("@", "/"))));
    assertThat(layout.rootfs()).isEqualTo(RootFileSystem.BTRFS);
    assertThatThrownBy(() -> parse("two.toml", text + text.replace("\"/\"", "\"/var\"")))
        .hasMessageContaining("multiple btrfs volumes are not yet supported");
  }

  private static final String GROUP =
      """
      [[customizations.disk.partitions]]
      type = "lvm"
      minsize = "8 GiB"
      """;

  private static String volume(String keys) {
    return "[[customizations.disk.partitions.logical_volumes]]\n" + keys;
  }

  @Test
  void aVolumeGroupIsRead() {
    String text =
        GROUP
            + "name = \"main\"\npart_label = \"all\"\n"
            + volume("name = \"sys\"\nminsize = 1\nfs_type = \"xfs\"\nmountpoint = \"/\"\n")
            + volume("minsize = \"1 GiB\"\nmountpoint = \"/var/log\"\nlabel = \"logs\"\n")
            + volume("minsize = \"2 GiB\"\nfs_type = \"swap\"\n")
            + volume("minsize = 3\nfs_type = \"swap\"\n");
    DiskLayout layout = parse("lvm.toml", text).layout();
    String at = "customizations.disk.partitions[0].logical_volumes";
    assertThat(layout.partitions())
        .containsExactly(
            new DiskLayout.Partition(
                "customizations.disk.partitions[0]",
                8L << 30,
                null,
                "all",
                null,
                new PartitionContent.Lvm(
                    "main",
                    List.of(
                        new PartitionContent.Volume(
                            at + "[0]",
                            "sys",
                            1,
                            new PartitionContent.Files("/", RootFileSystem.XFS, "")),
                        new PartitionContent.Volume(
                            at + "[1]",
                            "var_loglv",
                            1L << 30,
                            new PartitionContent.Files("/var/log", RootFileSystem.EXT4, "logs")),
                        new PartitionContent.Volume(
                            at + "[2]", "swaplv", 2L << 30, new PartitionContent.Swap("")),
                        new PartitionContent.Volume(
                            at + "[3]", "swaplv00", 3, new PartitionContent.Swap(""))))));
    assertThat(layout.rootfs()).isEqualTo(RootFileSystem.XFS);
  }

  /** As in bootc-image-builder: where there is a group, a root that is not named is in it. */
  @Test
  void theRootIsInTheGroup() {
    String srv = "minsize = 1\nmountpoint = \"/srv\"\nname = \"rootlv\"\n";
    DiskLayout layout = parse("lvm.toml", GROUP + volume(srv)).layout();
    assertThat(layout.partitions().getFirst().content())
        .isInstanceOfSatisfying(
            PartitionContent.Lvm.class,
            group -> {
              assertThat(group.group()).isEqualTo("vg00");
              assertThat(group.at("/").orElseThrow().name()).isEqualTo("rootlv00");
            });
    assertThat(layout.rootfs()).isNull();
    String root = "[[customizations.disk.partitions]]\nmountpoint = \"/\"\nminsize = 1\n";
    assertThat(parse("plain.toml", GROUP + root).layout().at("/").orElseThrow().content())
        .isInstanceOf(PartitionContent.Files.class);
  }

  /** Keys of a volume group, and words of the sentence. */
  static Stream<Arguments> wrongGroups() {
    String all = volume("name = \"v\"\nminsize = 1\nmountpoint = \"/srv\"\n");
    String long64 = "x".repeat(64);
    return Stream.of(
        Arguments.of("name = \"a/b\"\n", "partitions[0].name: \"a/b\" is not valid"),
        Arguments.of("name = \"..\"\n", "is not valid"),
        Arguments.of("name = \"-v\"\n", "is not valid"),
        Arguments.of("label = \"x\"\n", "unknown key"),
        Arguments.of(all.replace("\"v\"", "\"\""), "logical_volumes[0].name: \"\" is not valid"),
        Arguments.of(all.replace("\"v\"", "\"pvmove0\""), "LVM keeps names such as"),
        Arguments.of(all.replace("\"v\"", "\"a_tmeta\""), "LVM keeps names such as"),
        Arguments.of(
            volume("minsize = 1\nmountpoint = \"/snapshots\"\n"), "such as \"snapshotslv\""),
        Arguments.of("name = \"" + "a-".repeat(50) + "\"\n", "longer than the 127 characters"),
        Arguments.of(
            "name = \"" + long64 + "\"\n" + all.replace("\"v\"", "\"" + long64 + "\""),
            "longer than the 127 characters"),
        Arguments.of(all + "minsze = 1\n", "unknown key"),
        Arguments.of(all.replace("minsize = 1\n", ""), "logical_volumes[0]: minsize is required"),
        Arguments.of(
            all.replace("/srv", "/boot"), "invalid mountpoint \"/boot\" for logical volume"),
        Arguments.of(all.replace("/srv", "/boot/efi"), "invalid mountpoint \"/boot/efi\""),
        Arguments.of(all.replace("/srv", "/usr"), "path \"/usr\" is not allowed"),
        Arguments.of(all + "fs_type = \"zfs\"\n", "unsupported filesystem type"),
        Arguments.of(all + "fs_type = \"swap\"\n", "must be empty (got \"/srv\")"),
        Arguments.of(
            all + all.replace("/srv", "/opt"),
            "logical_volumes[1].name: duplicate LVM logical volume name \"v\" in volume group"
                + " \"vg00\""),
        Arguments.of(all + all.replace("\"v\"", "\"w\""), "duplicate mountpoint \"/srv\""),
        Arguments.of(volume("minsize = 1\nfs_type = \"swap\"\n").repeat(256), "fewer than 256"),
        Arguments.of(all + GROUP, "multiple LVM volume groups are not yet supported"),
        Arguments.of(
            all
                + GROUP.replace("lvm", "btrfs")
                + "[[customizations.disk.partitions.subvolumes]]\nname = \"s\"\nmountpoint = \"/\"\n",
            "btrfs and lvm partitioning cannot be combined"));
  }

  @ParameterizedTest
  @MethodSource("wrongGroups")
  void aWrongGroupIsToldWithItsPlace(String keys, String words) {
    assertThatThrownBy(() -> parse("config.toml", GROUP + keys))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("config.toml:")
        .hasMessageContaining("customizations.disk.partitions[")
        .hasMessageContaining(words);
  }

  @ParameterizedTest
  @MethodSource("wrongPartitions")
  void aWrongPartitionIsToldWithItsPlace(String table, String keys, String words) {
    String type = table.isEmpty() ? "" : "type = \"" + table + "\"\n";
    String text =
        "[customizations.disk]\n" + type + "[[customizations.disk.partitions]]\n" + keys + "\n";
    assertThatThrownBy(() -> parse("config.toml", text))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("config.toml:")
        .hasMessageContaining("customizations.disk.partitions[0]")
        .hasMessageContaining(words);
  }

  @Test
  void partitionsThatDoNotGoTogetherAreRefused() {
    String home = "[[customizations.disk.partitions]]\nmountpoint = \"/srv\"\nminsize = 1\n";
    assertThatThrownBy(() -> parse("twice.toml", home + home))
        .hasMessageContaining("twice.toml:5: ")
        .hasMessageContaining("duplicate mountpoint \"/srv\"");
    String swap =
        "[[customizations.disk.partitions]]\nfs_type = \"swap\"\nminsize = 1\npart_uuid = \""
            + new UUID(1, 1)
            + "\"\n";
    assertThatThrownBy(() -> parse("id.toml", swap + swap)).hasMessageContaining("id.toml:8: ");
    String empty = "[[customizations.disk.partitions]]\nfs_type = \"none\"\nminsize = 1\n";
    assertThatThrownBy(
            () -> parse("five.toml", "[customizations.disk]\ntype = \"dos\"\n" + empty.repeat(5)))
        .hasMessageContaining("only supports up to 4 partitions: got 5");
    String sector = "[customizations.disk]\nsector_size = %d\n";
    assertThat(parse("4k.toml", sector.formatted(4096)).layout().sector()).isEqualTo(4096);
    assertThat(parse("512.toml", sector.formatted(512)).layout()).isEqualTo(DiskLayout.USUAL);
    assertThatThrownBy(() -> parse("sector.toml", sector.formatted(1024)))
        .hasMessageContaining("sector.toml:2: ")
        .hasMessageContaining("sectors of 512 or 4096 bytes");
    assertThatThrownBy(() -> parse("dos.toml", sector.formatted(4096) + "type = \"dos\"\n"))
        .hasMessageContaining("4096 takes a gpt partition table");
    assertThat(parse("any.toml", empty + "part_type = \"83\"\n").layout().partitions()).hasSize(1);
  }
}
