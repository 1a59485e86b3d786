package slipway.oci;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import slipway.base.Problem;

/** Removes the blobs of a store that no name reaches, for whoever has the store alone. */
final class StoreSweep {
  private static final int MAX_DEPTH = 4;

  private final LocalStore store;
  private final Set<Digest> reachable = new HashSet<>();
  private final List<LocalStore.Damaged> damaged = new ArrayList<>();

  StoreSweep(LocalStore store) {
    this.store = store;
  }

  /**
   * Removes them, or nothing while an image is damaged: what belongs to it is not known then.
   *
   * @param index the names that stay
   */
  LocalStore.Pruned run(LayoutIndex index) throws IOException {
    for (String why : index.broken()) {
      damaged.add(new LocalStore.Damaged("(unknown)", why));
    }
    for (LayoutIndex.Entry e : index.entries()) {
      if (e.name() != null) {
        try {
          mark(e.descriptor(), 0);
        } catch (Problem p) {
          damaged.add(new LocalStore.Damaged(e.name(), String.valueOf(p.getMessage())));
        }
      }
    }
    if (!damaged.isEmpty()) {
      return new LocalStore.Pruned(0, 0, false, damaged);
    }
    int count = 0;
    long bytes = 0;
    for (Digest.Algorithm a : Digest.Algorithm.values()) {
      Path directory = store.root().resolve("blobs").resolve(a.label());
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
        for (Path file : files) {
          Optional<Digest> blob = a.file(file.getFileName().toString());
          boolean ours = Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
          if (ours && blob.isPresent() && !reachable.contains(blob.get())) {
            bytes += Files.size(file);
            count++;
            Files.delete(file);
          }
        }
      }
    }
    return new LocalStore.Pruned(count, bytes, false, List.of());
  }

  private void mark(Descriptor descriptor, int depth) {
    if (!reachable.add(descriptor.digest())
        || !MediaTypes.isManifest(descriptor.mediaType())
        || (depth > 0 && !store.has(descriptor.digest()))) {
      return; // Of an index not all platforms need be here.
    }
    switch (store.manifest(descriptor.digest())) {
      case Manifest.Image image -> {
        reachable.add(image.config().digest());
        image.layers().forEach(l -> reachable.add(l.digest()));
      }
      case Manifest.Index index -> {
        if (depth > MAX_DEPTH) {
          throw Problem.corrupt("the index " + index.digest() + " is nested too deeply");
        }
        index.manifests().forEach(m -> mark(m, depth + 1));
      }
    }
  }
}
