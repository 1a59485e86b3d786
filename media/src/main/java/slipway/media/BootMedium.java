package slipway.media;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a machine starts from where nothing starts from its disk, such as an empty one. So what is
 * installed onto that starts the next time, without anybody taking the medium out.
 *
 * @param place the absolute path of a file; of a network also the address that the boot loader
 *     fetches
 */
public record BootMedium(Kind kind, String place) {
  /** Behind the disk, which has 1. */
  private static final String SECOND = ",bootindex=2";

  /** How it is attached. */
  public enum Kind {
    /** An ISO in a drive. */
    CDROM,
    /** A stick, of which the guest's writes are thrown away. */
    USB,
    /** A server that DHCP names. */
    NETWORK
  }

  /** A file in a drive or as a stick. */
  public static BootMedium of(Kind kind, Path file) {
    DiskFormat.requireReadable(file);
    return new BootMedium(kind, file.toAbsolutePath().toString());
  }

  /**
   * A network's boot loader.
   *
   * @param place an address, which iPXE understands; or a file, whose folder is served by TFTP
   */
  public static BootMedium network(String place) {
    return isAddress(place)
        ? new BootMedium(Kind.NETWORK, place)
        : of(Kind.NETWORK, Path.of(place));
  }

  private static boolean isAddress(String place) {
    return place.matches("[a-z]+://.+");
  }

  /** What a machine has more for it. */
  List<String> arguments(Architecture architecture) {
    String drive = ",if=none,id=medium,format=raw,file=" + place.replace(",", ",,");
    return switch (kind) {
      case CDROM -> {
        List<String> all = new ArrayList<>(List.of("-drive", "media=cdrom,readonly=on" + drive));
        // No board but a PC has IDE.
        boolean ide = architecture == Architecture.AMD64;
        all.addAll(ide ? List.of() : List.of("-device", "virtio-scsi-pci,id=drives"));
        String device = ide ? "ide-cd" : "scsi-cd,bus=drives.0";
        all.addAll(List.of("-device", device + ",drive=medium" + SECOND));
        yield all;
      }
      case USB ->
          List.of(
              "-drive",
              "snapshot=on" + drive,
              "-device",
              "qemu-xhci,id=sticks",
              "-device",
              "usb-storage,bus=sticks.0,removable=on,drive=medium" + SECOND);
      case NETWORK -> List.of();
    };
  }

  /** What DHCP tells of it. */
  String network() {
    if (kind != Kind.NETWORK) {
      return "";
    }
    if (isAddress(place)) {
      return ",bootfile=" + place.replace(",", ",,");
    }
    int name = place.lastIndexOf('/') + 1;
    return ",tftp=%s,bootfile=%s"
        .formatted(
            place.substring(0, name).replace(",", ",,"), place.substring(name).replace(",", ",,"));
  }

  /**
   * The end of QEMU's word for a network card, which has a boot ROM only where it is started from:
   * nothing else shall wait for a boot server.
   */
  static String card(@Nullable BootMedium medium) {
    return medium != null && medium.kind == Kind.NETWORK ? SECOND : ",romfile=";
  }

  /**
   * What virt-install calls it.
   *
   * @throws Problem of kind USAGE where it has no such word
   */
  List<String> virtInstall() {
    if (kind != Kind.CDROM) {
      throw Problem.usage(
          "--virt-install prints nothing of a stick or a network; virt-install has --disk"
              + " FILE,bus=usb and --pxe");
    }
    return List.of("--cdrom", place);
  }

  void write(ObjectNode node) {
    node.put("kind", kind.name().toLowerCase(Locale.ROOT)).put("place", place);
  }

  static @Nullable BootMedium read(JsonNode node) {
    return node.isObject()
        ? new BootMedium(
            Kind.valueOf(node.required("kind").asString().toUpperCase(Locale.ROOT)),
            node.required("place").asString())
        : null;
  }
}
