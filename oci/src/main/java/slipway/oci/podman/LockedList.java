package slipway.oci.podman;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import slipway.base.AtomicFile;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.oci.model.Json;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One of the lists of podman's store, {@code layers.json} or {@code images.json}, with its lock
 * held as podman holds it: fcntl(2) on the file beside it, which says in 64 bytes who changed the
 * list last, so that whoever has read it knows that it has to read it again (containers/storage,
 * pkg/lockfile). What is not understood of an entry is kept.
 */
final class LockedList implements AutoCloseable {
  private final Path file;
  private final FileChannel lock;
  private final ArrayNode entries;

  private LockedList(Path file, FileChannel lock, ArrayNode entries) {
    this.file = file;
    this.lock = lock;
    this.entries = entries;
  }

  /**
   * Waits for the lock and reads the list. Nobody else in this process may have it open.
   *
   * @param folder of the store, such as {@code overlay-layers}
   * @param kind {@code layers} or {@code images}
   */
  static LockedList open(Path folder, String kind) throws IOException {
    FileChannel lock =
        FileChannel.open(
            folder.resolve(kind + ".lock"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS);
    boolean done = false;
    try {
      lock.lock();
      Path file = folder.resolve(kind + ".json");
      LockedList list = new LockedList(file, lock, read(file));
      done = true;
      return list;
    } finally {
      if (!done) {
        lock.close();
      }
    }
  }

  private static ArrayNode read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return JsonNodeFactory.instance.arrayNode();
    }
    try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      JsonNode node = Json.read(Limit.MANIFESTS_BYTES.read(in, file.toString()), file.toString());
      if (node instanceof ArrayNode array) {
        return array;
      }
      if (node.isNull()) {
        return JsonNodeFactory.instance.arrayNode();
      }
      throw Problem.corrupt(file + " is no list");
    }
  }

  /** The entries, each an object with an id; changes count once {@link #write} is called. */
  ArrayNode entries() {
    return entries;
  }

  /** Takes an entry in the place of the one with its id, or adds it. */
  void put(ObjectNode entry) {
    String id = entry.path("id").asString("");
    for (int i = 0; i < entries.size(); i++) {
      if (entries.get(i).path("id").asString("").equals(id)) {
        entries.set(i, entry);
        return;
      }
    }
    entries.add(entry);
  }

  /** Puts the changed list in its place by one rename. */
  void write(Instant now) throws IOException {
    byte[] json = Json.write(entries);
    AtomicFile.write(file, json);
    ByteBuffer mark = ByteBuffer.wrap(mark(json, now));
    while (mark.hasRemaining()) {
      lock.write(mark, mark.position());
    }
  }

  /** Something that nobody has written before. */
  private static byte[] mark(byte[] json, Instant now) {
    try {
      MessageDigest hash = MessageDigest.getInstance("SHA-512");
      hash.update(json);
      hash.update((now + " " + ProcessHandle.current().pid()).getBytes(StandardCharsets.UTF_8));
      return hash.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
