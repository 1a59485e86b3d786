package slipway.oci.store;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import slipway.base.Problem;
import slipway.oci.layout.LayoutIndex;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;

/** Finds what a name, a digest or the beginning of one means in a store. */
final class StoreSearch {
  private static final Pattern ID_PREFIX = Pattern.compile("(sha256:|sha512:)?[0-9a-f]{4,128}");
  private static final int MAX_DEPTH = 4;

  private final LocalStore store;
  private final List<LayoutIndex.Entry> entries;

  StoreSearch(LocalStore store, List<LayoutIndex.Entry> entries) {
    this.store = store;
    this.entries = entries;
  }

  /** {@link LocalStore#find}. */
  Optional<Manifest> find(String nameOrIdPrefix) {
    for (Reference candidate : candidates(nameOrIdPrefix)) {
      Digest digest = candidate.digest();
      if (digest != null) {
        // What it is called does not count: a name may stand there from before it was checked.
        if (isManifest(digest)) {
          return Optional.of(store.manifest(digest));
        }
        continue;
      }
      for (LayoutIndex.Entry e : entries) {
        if (candidate.toString().equals(e.name())) {
          return Optional.of(named(e));
        }
      }
    }
    return findById(nameOrIdPrefix);
  }

  /** {@link LocalStore#image(String, Platform)} of what was found. */
  Manifest.Image image(Manifest manifest, String name, Platform platform) {
    Manifest current = manifest;
    for (int depth = 0; depth <= MAX_DEPTH; depth++) {
      switch (current) {
        case Manifest.Image image -> {
          return image;
        }
        case Manifest.Index index -> {
          Digest child = index.select(platform, name).digest();
          if (!store.has(child)) {
            throw Problem.notFound(
                "image %s is in the store, but not for %s; pull it: slipway pull --platform %s %s"
                    .formatted(name, platform, platform, name));
          }
          current = store.manifest(child);
        }
      }
    }
    throw Problem.corrupt("the index of " + name + " is nested too deeply");
  }

  /** {@link LocalStore#lacks}. */
  boolean lacks(Manifest manifest, Platform platform) {
    Manifest current = manifest;
    for (int depth = 0; depth <= MAX_DEPTH; depth++) {
      if (!(current instanceof Manifest.Index index)) {
        return false;
      }
      Descriptor child;
      try {
        child = index.select(platform, index.digest().toString());
      } catch (Problem e) {
        return false; // Nobody has it.
      }
      if (!store.has(child.digest())) {
        return true;
      }
      current = store.readable(child).orElse(index);
    }
    return false;
  }

  /** {@link LocalStore#complete}. */
  Manifest complete(Manifest manifest) {
    Manifest current = manifest;
    for (int depth = 0; depth <= MAX_DEPTH; depth++) {
      if (!(current instanceof Manifest.Index index) || isWhole(index, new HashSet<>(), depth)) {
        return current;
      }
      List<Descriptor> here =
          index.manifests().stream()
              .filter(m -> MediaTypes.isManifest(m.mediaType()) && store.readable(m).isPresent())
              .toList();
      if (here.isEmpty()) {
        return current;
      }
      Descriptor chosen =
          here.stream()
              .filter(m -> m.platform() != null && Platform.host().accepts(m.platform()))
              .findFirst()
              .orElse(here.getFirst());
      current = store.manifest(chosen.digest());
    }
    return current;
  }

  private boolean isWhole(Manifest.Index index, Set<Digest> seen, int depth) {
    for (Descriptor child : index.manifests()) {
      if (!store.has(child.digest())) {
        return false;
      }
      if (MediaTypes.isIndex(child.mediaType())
          && seen.add(child.digest())
          && depth < MAX_DEPTH
          && store.readable(child).orElse(null) instanceof Manifest.Index below
          && !isWhole(below, seen, depth + 1)) {
        return false;
      }
    }
    return true;
  }

  private Manifest named(LayoutIndex.Entry e) {
    try {
      return store.manifest(e.descriptor().digest());
    } catch (Problem p) {
      throw new Problem(
          p.kind(),
          "image %s is damaged: %s; pull it again, or remove it: slipway rmi %s"
              .formatted(e.name(), p.getMessage(), e.name()),
          p);
    }
  }

  /**
   * Whether a blob came in as a manifest, by itself or below an index. Any other blob was never
   * checked as one, whatever it holds.
   */
  private boolean isManifest(Digest digest) {
    Set<Digest> seen = new HashSet<>();
    return store.has(digest)
        && entries.stream().anyMatch(e -> reaches(e.descriptor(), digest, seen, 0));
  }

  private boolean reaches(Descriptor from, Digest wanted, Set<Digest> seen, int depth) {
    if (!MediaTypes.isManifest(from.mediaType()) || depth > MAX_DEPTH || !seen.add(from.digest())) {
      return false;
    }
    return from.digest().equals(wanted)
        || (MediaTypes.isIndex(from.mediaType())
            && store.readable(from).orElse(null) instanceof Manifest.Index index
            && index.manifests().stream().anyMatch(m -> reaches(m, wanted, seen, depth + 1)));
  }

  private static List<Reference> candidates(String text) {
    try {
      if (Reference.hasHost(text)) {
        return List.of(Reference.parse(text).orLatest());
      }
      return List.of(LocalStore.localName(text), Reference.parse(text).orLatest());
    } catch (Problem e) {
      return List.of(); // Not a name: an id, such as sha256:0123…
    }
  }

  private Optional<Manifest> findById(String id) {
    if (!ID_PREFIX.matcher(id).matches()) {
      return Optional.empty();
    }
    // By what the id stands for: manifests with one config (other compression, other annotations)
    // are one image under one id, and no more digits could tell them apart.
    Map<Digest, Digest> found = new LinkedHashMap<>();
    Set<Digest> seen = new HashSet<>();
    for (LayoutIndex.Entry e : entries) {
      collectById(id, e.descriptor(), found, seen, 0);
    }
    if (found.size() > 1) {
      throw Problem.input(
          "\"" + id + "\" fits " + found.size() + " images; write more digits of the one you mean");
    }
    return found.values().stream().findFirst().map(store::manifest);
  }

  private void collectById(
      String id, Descriptor descriptor, Map<Digest, Digest> found, Set<Digest> seen, int depth) {
    if (depth > MAX_DEPTH
        || !MediaTypes.isManifest(descriptor.mediaType())
        || !seen.add(descriptor.digest())) {
      return;
    }
    // An index may list platforms that were not pulled; what is damaged is found by its own digest.
    Optional<Manifest> manifest = store.readable(descriptor);
    if (manifest.isEmpty()) {
      if (depth == 0 && fits(id, descriptor.digest())) {
        found.put(descriptor.digest(), descriptor.digest());
      }
      return;
    }
    switch (manifest.get()) {
      case Manifest.Image image -> {
        if (fits(id, image.digest())) {
          found.put(image.digest(), image.digest());
        } else if (fits(id, image.config().digest())) {
          found.putIfAbsent(image.config().digest(), image.digest());
        }
      }
      case Manifest.Index index -> {
        if (fits(id, index.digest())) {
          found.put(index.digest(), index.digest());
        } else {
          index.manifests().forEach(m -> collectById(id, m, found, seen, depth + 1));
        }
      }
    }
  }

  private static boolean fits(String prefix, Digest digest) {
    return digest.hex().startsWith(prefix) || digest.toString().startsWith(prefix);
  }
}
