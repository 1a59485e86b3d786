package slipway.ostree.container;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.base.CountedInput;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.oci.chunked.PartialLayer;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.PlainLayer;
import slipway.oci.copy.Validate;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Transaction;
import slipway.tree.ContentStore;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.LayerReader;
import slipway.tree.Node;

/**
 * Reads one layer from its source in one pass, verifying its digests. Of a layer whose table of
 * contents tells what is in it, only what the repository lacks is fetched; all of it, when that
 * does not work out. For one layer.
 */
final class LayerFetch {
  /** Smaller layers are fetched before one has asked what is in them. */
  private static final long MIN_PARTIAL = 64 * 1024;

  /** Less than a tenth spared is not worth the requests. */
  private static final int WORTH = 10;

  /** Bytes of the heap that what is known of a file takes, about; or the name of an object. */
  private static final long KNOWN = 192;

  private final ImageSource source;
  private final ImageTotals image;
  private final Progress progress;
  private final @Nullable ContentIndex contents;
  private final AtomicLong fetched = new AtomicLong();

  /** What the attempt to read it in parts wrote, empty files aside. */
  private final List<ObjectContent> attempted = new ArrayList<>();

  /** Reads whole layers. */
  LayerFetch(ImageSource source, ImageTotals image, Progress progress) {
    this(source, image, progress, null);
  }

  /**
   * @param contents what need not be fetched; null to read whole layers
   */
  LayerFetch(
      ImageSource source, ImageTotals image, Progress progress, @Nullable ContentIndex contents) {
    this.source = source;
    this.image = image;
    this.progress = progress;
    this.contents = contents;
  }

  /**
   * What a layer became.
   *
   * @param dropped how many entries were left out, by top level directory
   * @param attributes how many extended attributes were left out, by name
   * @param bytes that came from the source, of attempts in vain too
   * @param withoutObjects see {@link LayerFilter#isWithoutObjects}
   * @param known contents of its files, as far as a table told them
   * @param vain objects that an attempt in vain wrote
   */
  record Fetched(
      Checksum commit,
      Layer layer,
      Map<String, Integer> dropped,
      Map<String, Integer> attributes,
      long bytes,
      boolean withoutObjects,
      List<Known> known,
      List<Checksum> vain) {
    /** The same, with objects of other attempts. */
    Fetched withVain(List<Checksum> more) {
      List<Checksum> all = new ArrayList<>(vain);
      all.addAll(more);
      return new Fetched(commit, layer, dropped, attributes, bytes, withoutObjects, known, all);
    }

    /** The same layer in another repository. */
    Fetched in(Layer other, Checksum name) {
      return new Fetched(
          name, other, dropped, attributes, bytes, withoutObjects, List.of(), List.of());
    }
  }

  /**
   * What a file holds.
   *
   * @param content its sha256
   */
  record Known(Digest content, ObjectContent object) {}

  /**
   * Writes it into a transaction, as a commit.
   *
   * @param onCommit whether the image's lower layers encapsulate a commit
   */
  Fetched run(Transaction transaction, Descriptor blob, Digest diffId, boolean onCommit)
      throws IOException {
    Optional<Fetched> partial = partial(transaction, blob, diffId, onCommit);
    if (partial.isPresent()) {
      return partial.get();
    }
    // Their names alone: contents have attributes, which nobody counts any more.
    List<Checksum> vain = attempted.stream().map(ObjectContent::checksum).toList();
    attempted.clear();
    LayerFilter filter = new LayerFilter(transaction, name(blob), onCommit);
    return written(transaction, read(filter, blob, diffId), filter, diffId, List.of(), vain);
  }

  private Fetched written(
      Transaction transaction,
      Layer layer,
      LayerFilter filter,
      Digest diffId,
      List<Known> known,
      List<Checksum> vain)
      throws IOException {
    return new Fetched(
        LayerCommits.write(transaction, layer, diffId, filter.isWithoutObjects()),
        layer,
        filter.dropped(),
        filter.attributes(),
        fetched.get(),
        filter.isWithoutObjects(),
        known,
        vain);
  }

  /**
   * Reads it, with the content of its files going to another place.
   *
   * @param onCommit whether the image encapsulates a commit, in this layer or in those below it
   */
  Layer read(ContentStore store, Descriptor blob, Digest diffId, boolean onCommit)
      throws IOException {
    return read(new LayerFilter(store, name(blob), onCommit), blob, diffId);
  }

  private Layer read(LayerFilter filter, Descriptor blob, Digest diffId) throws IOException {
    Layer raw;
    try (Progress.Task task = progress.start(name(blob), blob.size());
        InputStream compressed =
            new VerifyingInputStream(new CountedInput(source.blob(blob, 0), counted(task)), blob);
        PlainLayer tar = new PlainLayer(compressed, diffId.algorithm(), blob)) {
      raw = tar.readBy(in -> LayerReader.read(in, filter, image));
      Validate.match(blob, diffId, tar.finish().diffId());
    }
    return filter.apply(raw);
  }

  /** Counts what comes, for the one who watches and for the sum. */
  private LongConsumer counted(Progress.Task task) {
    return n -> {
      fetched.addAndGet(n);
      task.advance(n);
    };
  }

  // ---- parts of it ----

  /**
   * Reads the layer out of what the repository holds and of what it lacks.
   *
   * @return empty when it has to be fetched whole
   */
  private Optional<Fetched> partial(
      Transaction transaction, Descriptor blob, Digest diffId, boolean onCommit)
      throws IOException {
    ContentIndex known = contents;
    if (known == null
        || blob.size() < MIN_PARTIAL
        || !PartialLayer.isOffered(blob)
        || known.isEmpty()) {
      return Optional.empty();
    }
    ImageTotals attempt = image.attempt();
    try (ContentIndex.Memory memory = known.memory()) {
      Optional<PartialLayer> parts =
          PartialLayer.find(source, blob, known, fetched::addAndGet, memory::take);
      if (parts.isEmpty()) {
        progress.note(
            name(blob) + " is fetched whole: " + source.describe() + " gives no parts of it");
        return Optional.empty();
      }
      if (fetched.get() + parts.get().missingBytes() > blob.size() - blob.size() / WORTH) {
        return Optional.empty();
      }
      return Optional.of(
          assembled(transaction, blob, diffId, onCommit, parts.get(), attempt, memory));
    } catch (Problem e) {
      switch (e.kind()) {
        // If more fails than this way of asking, the whole layer tells.
        case CORRUPT, INPUT, DENIED, NOT_FOUND, UNAVAILABLE -> {}
        case USAGE, FULL, ENVIRONMENT -> throw e;
      }
      attempt.giveUp(attempted.size() * KNOWN);
      progress.note(name(blob) + " is fetched whole: " + e.getMessage());
      return Optional.empty();
    }
  }

  private Fetched assembled(
      Transaction transaction,
      Descriptor blob,
      Digest diffId,
      boolean onCommit,
      PartialLayer parts,
      ImageTotals attempt,
      ContentIndex.Memory memory)
      throws IOException {
    LayerFilter filter =
        new LayerFilter(
            (path, metadata, size, in) -> {
              ObjectContent content = transaction.store(path, metadata, size, in);
              if (size > 0) {
                attempted.add(content);
              }
              return content;
            },
            name(blob),
            onCommit);
    Layer raw;
    long begun = fetched.get();
    try (Progress.Task task = progress.start(name(blob), begun + parts.missingBytes())) {
      task.advance(begun);
      MessageDigest hash = diffId.algorithm().newMessageDigest();
      try (InputStream tar =
          bounded(new DigestInputStream(parts.open(counted(task)), hash), name(blob))) {
        raw = LayerReader.read(tar, filter, attempt);
        tar.transferTo(OutputStream.nullOutputStream());
      }
      Validate.match(blob, diffId, Digest.of(diffId.algorithm(), hash.digest()));
    }
    Layer layer = filter.apply(raw);
    List<Known> known = known(layer, parts);
    boolean kept = memory.keep(known.size() * KNOWN);
    return written(transaction, layer, filter, diffId, kept ? known : List.of(), List.of());
  }

  /** What is known of the contents need not be found out again for the next version. */
  private static List<Known> known(Layer layer, PartialLayer parts) throws IOException {
    List<Known> known = new ArrayList<>();
    new FileTree(layer.root())
        .walk(
            (path, node) -> {
              if (node instanceof Node.File f
                  && f.content() instanceof ObjectContent object
                  && object.size() > 0) {
                content(parts, path).ifPresent(digest -> known.add(new Known(digest, object)));
              }
            });
    return known;
  }

  private static Optional<Digest> content(PartialLayer parts, OsPath path) {
    Optional<Digest> moved =
        path.startsWith("usr/etc/")
            ? parts.content(path.substring("usr/".length()))
            : Optional.empty();
    return moved.isPresent() ? moved : parts.content(path);
  }

  private static String name(Descriptor blob) {
    return "layer " + blob.digest().brief();
  }

  /** What comes out of the decompressor, the padding after the last entry included. */
  private static InputStream bounded(InputStream in, String name) {
    AtomicLong total = new AtomicLong();
    return new CountedInput(in, n -> Limit.LAYER_BYTES.check(total.addAndGet(n), name));
  }
}
