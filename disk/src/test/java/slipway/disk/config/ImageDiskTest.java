package slipway.disk.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.tree.DirectoryReader;

class ImageDiskTest {
  private static final String CONFIG = "usr/lib/bootc-image-builder/config.toml";

  private static final String HOMES =
      """
      [[customizations.disk.partitions]]
      mountpoint = "/var/home"
      minsize = "1 GiB"
      """;

  @TempDir Path image;

  private void put(String path, String text) throws IOException {
    Path file = image.resolve(path);
    Files.createDirectories(Objects.requireNonNull(file.getParent()));
    Files.writeString(file, text);
  }

  private ImageDisk read() throws IOException {
    return ImageDisk.of(DirectoryReader.read(image));
  }

  private DiskConfig config(String text) throws IOException {
    return DiskConfig.parse(Files.writeString(image.resolve("c.toml"), text));
  }

  @Test
  void anImageMaySayNothing() throws Exception {
    assertThat(read()).isEqualTo(ImageDisk.NONE);
    assertThat(DiskConfig.EMPTY.onDiskOf(read())).isEqualTo(DiskConfig.EMPTY);
  }

  @Test
  void filesystemAndDiskAreTakenAndTheRestIsTold() throws Exception {
    put(
        CONFIG,
        """
        [[customizations.filesystem]]
        mountpoint = "/"
        minsize = "5 GiB"
        [[customizations.user]]
        name = "joe"
        """);
    DiskConfig config = DiskConfig.EMPTY.onDiskOf(read());
    assertThat(config.rootMinimum()).isEqualTo(5L << 30);
    assertThat(config.users()).isEmpty();
    assertThat(read().ignored())
        .containsExactly(
            "the image's /%s:4: customizations.user is not taken from an image, which has filesystem and disk alone"
                .formatted(CONFIG));
    // As the reference looks for them; the older form is read, too.
    put(
        "usr/lib/bootc-image-builder/config.json",
        """
        {"blueprint": {"customizations": {"disk": {"type": "dos", "minsize": "12 GiB"}}}}
        """);
    assertThat(read().layout())
        .isEqualTo(new DiskLayout(PartitionTable.DOS, 12L << 30, 0, List.of()));
  }

  @Test
  void whatTheUserSaysOfTheDiskComesFirst() throws Exception {
    put(CONFIG, HOMES);
    for (String own :
        List.of(
            "[customizations.disk]\nminsize = \"9 GiB\"",
            "[[customizations.filesystem]]\nmountpoint = \"/boot\"\nminsize = \"2 GiB\"")) {
      DiskConfig config = config(own);
      assertThat(config.onDiskOf(read())).isEqualTo(config);
    }
    DiskConfig other = config("[customizations]\nhostname = \"box\"").withTable(PartitionTable.DOS);
    DiskConfig divided = other.onDiskOf(read());
    assertThat(divided.hostname()).isEqualTo("box");
    assertThat(divided.layout().table()).isEqualTo(PartitionTable.DOS);
    assertThat(divided.layout().at("/var/home")).isPresent();
  }

  @Test
  void whatIsWrongInItIsToldWithItsPlace() throws Exception {
    put(CONFIG, HOMES.replace("minsize", "minsice"));
    assertThatThrownBy(this::read)
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the image's /" + CONFIG + ":3: ")
        .hasMessageContaining("minsize");
    put(CONFIG, "customizations = 3");
    assertThatThrownBy(this::read)
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the image's /" + CONFIG + ":1: ");
    Files.write(image.resolve(CONFIG), new byte[] {'a', (byte) 0xff});
    assertThatThrownBy(this::read)
        .isInstanceOf(Problem.class)
        .hasMessage("the image's /" + CONFIG + " is not UTF-8 text");
    // A link stays inside of the image.
    put("etc/own", HOMES);
    Files.delete(image.resolve(CONFIG));
    Files.createSymbolicLink(image.resolve(CONFIG), Path.of("../../../../../../etc/own"));
    assertThat(read().layout().at("/var/home")).isPresent();
  }

  private static final String YAML =
      """
      .common:
        guids:
          - &bios "21686148-6449-6E6F-744E-656564454649"
          - &esp "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
          - &data "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
      mount_configuration: units
      partition_table:
        type: gpt
        size: 12_884_901_888
        policy: {grow_root_to_fill_disk: true}
        partitions:
          - size: 1 MiB
            bootable: true
            type: *bios
            label: BIOS-BOOT
          - size: "501 MiB"
            type: *esp
            payload_type: filesystem
            payload:
              type: vfat
              mountpoint: /boot/efi
              label: EFI-SYSTEM
              fstab_options: "umask=0077,shortname=winnt"
              fstab_passno: 2
          - size: 2 GiB
            type: *data
            uuid: "CB07C243-BC44-4717-853E-28852021225B"
            payload_type: filesystem
            payload: {type: ext4, mountpoint: /var/lib, label: state, fstab_options: defaults}
          - size: 4 GiB
            type: *data
            payload_type: filesystem
            payload:
              type: ext4
              mountpoint: /
              label: root
              fstab_options: ro
              mkfs_options: {verity: true}
      """;

  private static final String NEWER = "usr/lib/image-builder/bootc/disk.yaml";

  @Test
  void diskYamlDividesTheDisk() throws Exception {
    put("usr/lib/bootc-image-builder/disk.yaml", "partition_table: {type: dos}");
    assertThat(read().base().table()).isEqualTo(PartitionTable.DOS);
    put(NEWER, YAML);
    DiskConfig config = DiskConfig.EMPTY.onDiskOf(read());
    DiskLayout layout = config.layout();
    assertThat(layout.minimum()).isEqualTo(12L << 30);
    assertThat(layout.partitions().stream().map(DiskLayout.Partition::content))
        .containsExactly(
            new PartitionContent.Bios(),
            new PartitionContent.Fat("/boot/efi", "EFI-SYSTEM", true),
            new PartitionContent.Files("/var/lib", RootFileSystem.EXT4, "state"),
            new PartitionContent.Files("/", RootFileSystem.EXT4, "root"));
    assertThat(layout.partitions().getFirst().name()).isEqualTo("BIOS-BOOT");
    assertThat(layout.at("/var/lib").orElseThrow().id())
        .hasToString("cb07c243-bc44-4717-853e-28852021225b");
    // It is what sizes are said of, and gives way to another way of dividing.
    String size = "[[customizations.filesystem]]\nmountpoint = \"/\"\nminsize = \"5 GiB\"";
    DiskConfig sized = config(size).onDiskOf(read());
    assertThat(sized.rootMinimum()).isEqualTo(5L << 30);
    assertThat(sized.layout()).isEqualTo(layout);
    put(CONFIG, HOMES);
    assertThat(DiskConfig.EMPTY.onDiskOf(read()).layout().at("/var/home")).isPresent();
    assertThat(config(size).onDiskOf(read()).layout()).isEqualTo(layout);
  }

  @Test
  void volumesOfDiskYamlAreBtrfs() throws Exception {
    put(
        NEWER,
        """
        partition_table:
          partitions:
            - size: 4 GiB
              payload_type: btrfs
              payload:
                subvolumes:
                  - {name: root, mountpoint: /}
                  - {name: homes, mountpoint: /var/home, fstab_options: defaults}
            - {size: 1 GiB, payload_type: swap, payload: {label: swp}}
            - size: 1 GiB
        """);
    assertThat(read().base().rootfs()).isEqualTo(RootFileSystem.BTRFS);
    assertThat(read().base().partitions().stream().map(DiskLayout.Partition::content))
        .containsExactly(
            new PartitionContent.Btrfs(
                List.of(
                    new PartitionContent.Subvolume("root", "/"),
                    new PartitionContent.Subvolume("homes", "/var/home"))),
            new PartitionContent.Swap("swp"),
            new PartitionContent.Nothing());
  }

  @Test
  void groupsOfDiskYamlAreLvm() throws Exception {
    put(
        NEWER,
        """
        partition_table:
          partitions:
            - size: 8 GiB
              payload_type: lvm
              payload:
                name: main
                description: all of it
                logical_volumes:
                  - size: 2 GiB
                    payload_type: filesystem
                    payload: {type: xfs, mountpoint: /var/lib, fstab_options: defaults}
                  - {name: swp, size: 1 GiB, payload_type: swap}
        """);
    assertThat(read().base().partitions().getFirst().content())
        .isInstanceOfSatisfying(
            PartitionContent.Lvm.class,
            group -> {
              assertThat(group.group()).isEqualTo("main");
              assertThat(group.volumes().stream().map(PartitionContent.Volume::name))
                  .containsExactly("var_liblv", "swp", "rootlv");
            });
    put(
        NEWER,
        """
        partition_table:
          partitions:
            - size: 8 GiB
              payload_type: luks
              payload:
                passphrase: secret
                payload_type: filesystem
                payload: {type: ext4, mountpoint: /}
        """);
    assertThat(read().base().at("/").orElseThrow().passphrase())
        .isEqualTo(new Passphrase("secret"))
        .hasToString("Passphrase");
    put(
        NEWER,
        """
        partition_table:
          partitions:
            - size: 8 GiB
              payload_type: luks
              payload: {passphrase: secret, payload_type: luks}
        """);
    assertThatThrownBy(this::read).hasMessageContaining("payload.payload_type: luks");
    put(
        NEWER,
        """
        partition_table:
          partitions:
            - {size: 8 GiB, payload_type: lvm, payload: {logical_volumes: [{payload_type: lvm}]}}
        """);
    assertThatThrownBy(this::read).hasMessageContaining("logical_volumes[0].payload_type: lvm");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          mount_configuration: units   | mount_configuration: none    | mount_configuration: none
          type: gpt                    | type: apm                    | partition_table.type: unknown
          type: gpt                    | uuid: x                      | partition_table.uuid
          type: gpt                    | sector_size: 2048            | partition_table.sector_size
          disk: true}                  | disk: false}                 | policy.grow_root_to_fill_disk
          label: BIOS-BOOT             | attrs: [1]                   | partitions[0].attrs
          payload_type: filesystem     | payload_type: raw            | partitions[1].payload_type
          label: EFI-SYSTEM            | uuid: 7B77-95E7              | partitions[1].payload.uuid
          shortname=winnt              | nosuid                       | payload.fstab_options
          options: defaults            | options: noatime             | payload.fstab_options
          options: ro                  | options: prjquota            | payload.fstab_options
          {verity: true}               | {agcount: 4}                 | mkfs_options.agcount
          {verity: true}               | {vereety: true}              | unknown key
          mountpoint: /var/lib         | mountpoint: /usr             | path "/usr" is not allowed
          size: 2 GiB                  | size: much                   | partitions[2].size
          type: ext4, mountpoint       | type: zfs, mountpoint        | unsupported filesystem type
          """)
  void whatIsNotMadeOfDiskYamlIsNamed(String from, String to, String words) throws Exception {
    assertThat(YAML).contains(from);
    put(NEWER, YAML.replace(from, to));
    assertThatThrownBy(this::read)
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the image's /" + NEWER)
        .hasMessageContaining(words);
  }
}
