package slipway.iso;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.ClaimedDisk;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;

/** A USB disk or a card that an ISO is written to. */
public final class IsoDrive {
  private static final int CHUNK = 4 << 20;

  /** GPT keeps its second table in the last 33 sectors (UEFI specification, 5.3.2). */
  private static final int SECOND_TABLE = 64 << 10;

  private final Path iso;
  private final Path device;

  private IsoDrive(Path iso, Path device) {
    this.iso = iso;
    this.device = device;
  }

  /**
   * An ISO, and where it shall go. Nothing is written yet.
   *
   * @param fixed whether a drive will do that can not be taken out
   * @throws Problem of kind INPUT for what is no ISO, no drive, or a fixed one
   */
  public static IsoDrive of(Path iso, Path device, boolean fixed) throws IOException {
    IsoContents.volumeOf(iso);
    if (!fixed && !canBeTakenOut(device)) {
      throw Problem.input(
          device
              + " cannot be taken out: it is a disk of this machine; name a USB disk or a card"
              + " (lsblk lists them), or say --fixed-drive");
    }
    return new IsoDrive(iso, device);
  }

  /** Cards say so themselves; USB disks do not, and hang on that bus. */
  private static boolean canBeTakenOut(Path device) throws IOException {
    Path about;
    try {
      Stat stat = Posix.stat(OsPath.of(device));
      if ((stat.mode() & Stat.S_IFMT) != Stat.S_IFBLK) {
        throw Problem.input(device + " is no block device; give a whole disk such as /dev/sdb");
      }
      long number = stat.rdev();
      about = Path.of("/sys/dev/block/" + Posix.major(number) + ":" + Posix.minor(number));
    } catch (UnixException e) {
      throw new Problem(Problem.Kind.INPUT, device + ": " + e.text(), e);
    }
    Path removable = about.resolve("removable");
    return (Files.exists(removable) && Files.readString(removable).strip().equals("1"))
        || about.toRealPath().toString().contains("/usb");
  }

  /** What is on the drive now, and its size, in words. */
  public String description() {
    Command.Result known =
        Command.of("lsblk", "--nodeps", "--noheadings", "--output", "SIZE,VENDOR,MODEL")
            .with(device.toString())
            .tryRun();
    return device + " (" + known.text().strip().replaceAll("\\s+", " ") + ")";
  }

  /**
   * Writes it and reads it back.
   *
   * @return the bytes written
   * @throws Problem of kind INPUT when the drive is in use or too small, CORRUPT when it does not
   *     hold what was written
   */
  public long write(Progress progress) throws IOException {
    try (ClaimedDisk disk = ClaimedDisk.of(device, false)) {
      long size = Files.size(iso);
      if (size > disk.size()) {
        throw Problem.input(
            device
                + " has "
                + (disk.size() >> 20)
                + " MiB, and "
                + iso
                + " needs "
                + ((size >> 20) + 1));
      }
      copy(size, disk.size(), progress);
      disk.sync();
      // What is read now comes from the drive.
      Command.of("blockdev", "--flushbufs", device.toString()).run();
      compare(size, progress);
      return size;
    }
  }

  private void copy(long size, long room, Progress progress) throws IOException {
    try (InputStream in = Files.newInputStream(iso);
        RandomAccessFile out = new RandomAccessFile(device.toFile(), "rw");
        Progress.Task task = progress.start("writing", size)) {
      // A second table of partitions that was there would not be the ISO's.
      if (room - size > SECOND_TABLE) {
        out.seek(out.length() - SECOND_TABLE);
        out.write(new byte[SECOND_TABLE]);
        out.seek(0);
      }
      byte[] chunk = new byte[CHUNK];
      for (int n = in.readNBytes(chunk, 0, CHUNK); n > 0; n = in.readNBytes(chunk, 0, CHUNK)) {
        out.write(chunk, 0, n);
        task.advance(n);
      }
    }
  }

  private void compare(long size, Progress progress) throws IOException {
    try (InputStream wanted = Files.newInputStream(iso);
        InputStream found = Files.newInputStream(device);
        Progress.Task task = progress.start("reading back", size)) {
      for (long at = 0; at < size; at += CHUNK) {
        byte[] there = wanted.readNBytes(CHUNK);
        int different = Arrays.mismatch(there, found.readNBytes(there.length));
        if (different >= 0) {
          throw Problem.corrupt(
              device
                  + " does not hold what was written, from byte "
                  + (at + different)
                  + " on; it may be worn or not as large as it says: take another");
        }
        task.advance(there.length);
      }
    }
  }
}
