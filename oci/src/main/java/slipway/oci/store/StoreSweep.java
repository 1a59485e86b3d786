package slipway.oci.store;

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
import slipway.oci.layout.LayoutIndex;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;

/** Removes the blobs of a store that no name reaches, for whoever has the store alone. */
final class StoreSweep {
  private static final int MAX_DEPTH = 4;

  private final LocalStore store;
  private final Set<Digest> kept = new HashSet<>();

  /**
   * Manifests that were read. Apart from what is kept: any image may list the manifest of another
   * one as its layer or config, where it is a blob like others and leads nowhere.
   */
  private final Set<Digest> followed = new HashSet<>();

  private final List<LocalStore.Damaged> damaged = new ArrayList<>();

  StoreSweep(LocalStore store) {
    this.store = store;
  }

  /**
   * Removes them, or nothing while an image is damaged: what belongs to it is not known then.
   *
   * @param index the names that stay
   * @param unnamed whether images without a name go, too
   */
  LocalStore.Pruned run(LayoutIndex index, boolean unnamed) throws IOException {
    index.broken().forEach(b -> damaged.add(new LocalStore.Damaged(b.name(), b.why())));
    for (LayoutIndex.Entry e : index.entries()) {
      if (e.name() != null) {
        try {
          markManifest(e.descriptor().digest(), 0);
        } catch (Problem p) {
          damaged.add(new LocalStore.Damaged(e.name(), String.valueOf(p.getMessage())));
        }
      } else if (!unnamed && store.readable(e.descriptor()).isPresent()) {
        markUnnamed(e.descriptor().digest());
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
          if (ours && blob.isPresent() && !kept.contains(blob.get())) {
            bytes += Files.size(file);
            count++;
            Files.delete(file);
          }
        }
      }
    }
    return new LocalStore.Pruned(count, bytes, false, List.of());
  }

  private void markUnnamed(Digest digest) {
    try {
      markManifest(digest, 0);
    } catch (Problem p) {
      // Nobody can use it, nor name it any more: what cannot be read of it does not stay.
    }
  }

  private void markManifest(Digest digest, int depth) {
    kept.add(digest);
    if (followed.contains(digest)) {
      return;
    }
    switch (store.manifest(digest)) {
      case Manifest.Image image -> {
        kept.add(image.config().digest());
        image.layers().forEach(l -> kept.add(l.digest()));
      }
      case Manifest.Index index -> {
        if (depth > MAX_DEPTH) {
          throw Problem.corrupt("the index " + index.digest() + " is nested too deeply");
        }
        index.manifests().forEach(m -> markChild(m, depth + 1));
      }
    }
    followed.add(digest); // At the end: whatever leads to a damaged one is told.
  }

  private void markChild(Descriptor child, int depth) {
    if (MediaTypes.isManifest(child.mediaType()) && store.has(child.digest())) {
      markManifest(child.digest(), depth);
    } else {
      kept.add(child.digest()); // Of an index not all platforms need be here.
    }
  }
}
