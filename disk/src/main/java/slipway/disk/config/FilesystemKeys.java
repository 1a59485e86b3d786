package slipway.disk.config;

import static slipway.base.document.ConfigDocument.isGiven;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** Reads the file systems of a config: sizes of two, and others that get partitions. */
final class FilesystemKeys {
  private static final Pattern SIZE = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)\\s*([kKMGT]i?B)?");

  /** Bytes that no disk has; sums with it still fit a long. */
  private static final long MAX_SIZE = 1L << 60;

  /** What bootc-image-builder raises smaller ones to. */
  private static final long LEAST = 1L << 30;

  private final ConfigKeys keys;

  FilesystemKeys(ConfigKeys keys) {
    this.keys = keys;
  }

  /**
   * What is said.
   *
   * @param root bytes that it has at least, or 0 when nothing is said
   * @param boot likewise, of /boot
   * @param others partitions for other places, in their order
   */
  record Sizes(long root, long boot, List<DiskLayout.Partition> others) {}

  /**
   * Reads {@code [[customizations.filesystem]]}.
   *
   * @param c the customizations
   */
  Sizes sizes(JsonNode c) {
    Map<String, Long> sizes = new HashMap<>();
    List<DiskLayout.Partition> others = new ArrayList<>();
    DiskKeys places = new DiskKeys(keys);
    keys.each(
        c,
        "filesystem",
        "customizations.filesystem",
        (n, at) -> {
          keys.known(n, at, "mountpoint", "minsize", "size");
          keys.required(n, "mountpoint", at);
          String place = places.place(n, at);
          if (place.equals(PartitionContent.ESP)) {
            throw keys.wrong(
                at + ".mountpoint",
                at
                    + ".mountpoint: path \"/boot/efi\" is not allowed;"
                    + " customizations.disk.partitions says how large it is");
          }
          String key = isGiven(n, "minsize") ? "minsize" : "size";
          long size = isGiven(n, key) ? size(n.get(key), at + "." + key) : 0;
          if (sizes.put(place, size) != null) {
            throw keys.wrong(
                at + ".mountpoint",
                at + ".mountpoint: there is an entry for \"" + place + "\" already");
          }
          if (!PartitionContent.STARTING.contains(place)) {
            others.add(other(at, place, size));
          }
        });
    return new Sizes(
        sizes.getOrDefault(PartitionContent.ROOT, 0L),
        sizes.getOrDefault(PartitionContent.BOOT, 0L),
        others);
  }

  private static DiskLayout.Partition other(String at, String place, long size) {
    PartitionContent content = new PartitionContent.Files(place, RootFileSystem.EXT4, "");
    return new DiskLayout.Partition(at, Math.max(size, LEAST), null, null, null, content);
  }

  /** A number of bytes, or a text with a unit. */
  long size(JsonNode node, String at) {
    if (node.isIntegralNumber() && node.bigIntegerValue().signum() >= 0) {
      return sane(node.bigIntegerValue().doubleValue(), node.asString(), at);
    }
    if (node.isString()) {
      return parseSize(node.stringValue(), at);
    }
    throw keys.wrong(at, at + " is not a size; expected bytes or a text such as \"10 GiB\"");
  }

  private long parseSize(String value, String at) {
    Matcher m = SIZE.matcher(value.strip());
    if (!m.matches()) {
      throw keys.wrong(
          at, at + ": \"" + value + "\" is not a size; expected one such as \"10 GiB\"");
    }
    String unit = m.group(2) == null ? "" : m.group(2).toUpperCase(Locale.ROOT);
    long base = unit.contains("I") ? 1024 : 1000;
    int power = unit.isEmpty() ? 0 : "KMGT".indexOf(unit.charAt(0)) + 1;
    double bytes = Double.parseDouble(m.group(1)) * Math.pow(base, power);
    return sane(bytes, value, at);
  }

  private long sane(double bytes, String shown, String at) {
    if (bytes > MAX_SIZE) {
      throw keys.wrong(at, at + ": " + shown + " is larger than any disk");
    }
    return (long) bytes;
  }
}
