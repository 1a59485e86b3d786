package slipway.disk.lvm;

import java.util.Locale;
import java.util.UUID;

/** The text that describes a volume group, as LVM2 reads it (lib/format_text of its source). */
final class Description {
  private static final int SECTOR = 512;

  private final StringBuilder text = new StringBuilder();
  private final VolumeGroup group;
  private final long time;

  private Description(VolumeGroup group, long time) {
    this.group = group;
    this.time = time;
  }

  /**
   * @param time when it is made, in seconds of the epoch
   */
  static String of(VolumeGroup group, long time) {
    Description made = new Description(group, time);
    made.write();
    return made.text.toString();
  }

  private void write() {
    begin(group.name());
    id(group.id());
    line("seqno = 1");
    line("format = \"lvm2\"");
    line("status = [\"RESIZEABLE\", \"READ\", \"WRITE\"]");
    line("flags = []");
    number("extent_size", VolumeGroup.EXTENT / SECTOR);
    line("max_lv = 0");
    line("max_pv = 0");
    line("metadata_copies = 0");
    begin("physical_volumes");
    physical();
    end();
    // An empty one is not what LVM2 itself writes.
    if (!group.volumes().isEmpty()) {
      begin("logical_volumes");
      long extent = 0;
      for (VolumeGroup.Volume volume : group.volumes()) {
        volume(volume, extent);
        extent += volume.size() / VolumeGroup.EXTENT;
      }
      end();
    }
    end();
    line("contents = \"Text Format Volume Group\"");
    line("version = 1");
    line("description = \"\"");
    made();
  }

  private void physical() {
    begin("pv0");
    id(group.physical());
    line("status = [\"ALLOCATABLE\"]");
    line("flags = []");
    number("dev_size", group.size() / SECTOR);
    number("pe_start", VolumeGroup.FIRST_EXTENT / SECTOR);
    number("pe_count", VolumeGroup.room(group.size()) / VolumeGroup.EXTENT);
    end();
  }

  private void volume(VolumeGroup.Volume volume, long extent) {
    begin(volume.name());
    id(volume.id());
    line("status = [\"READ\", \"WRITE\", \"VISIBLE\"]");
    line("flags = []");
    made();
    line("segment_count = 1");
    begin("segment1");
    line("start_extent = 0");
    number("extent_count", volume.size() / VolumeGroup.EXTENT);
    line("type = \"striped\"");
    line("stripe_count = 1");
    line("stripes = [\"pv0\", " + extent + "]");
    end();
    end();
  }

  /** The host is no affair of the machine's. */
  private void made() {
    number("creation_time", time);
    line("creation_host = \"localhost\"");
  }

  private void id(UUID id) {
    line("id = \"" + grouped(id) + "\"");
  }

  /** As LVM2 shows an id: six characters, five times four, six. */
  private static String grouped(UUID id) {
    return characters(id)
        .replaceFirst("(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})", "$1-$2-$3-$4-$5-$6-$7");
  }

  /** An id's 32 characters. */
  static String characters(UUID id) {
    return id.toString().replace("-", "");
  }

  private void number(String key, long value) {
    line(String.format(Locale.ROOT, "%s = %d", key, value));
  }

  private void begin(String name) {
    line(name + " {");
  }

  private void end() {
    line("}");
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
