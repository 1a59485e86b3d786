package slipway.registry.catalog;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.model.Digest;
import slipway.oci.model.Json;
import slipway.oci.model.Manifest;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One change of what repositories hold, as it stands in the journal: a word and its arguments with
 * one blank between. Names, tags, digests and the media types that are accepted hold neither blanks
 * nor semicolons.
 */
public sealed interface Change {
  String repository();

  /** A blob can be pulled from the repository. */
  record LinkBlob(String repository, Digest digest, long size) implements Change {}

  record UnlinkBlob(String repository, Digest digest) implements Change {}

  /** A manifest is in the repository. */
  record PutManifest(String repository, Digest digest, ManifestEntry entry) implements Change {}

  /** A manifest and all its tags are gone. */
  record DeleteManifest(String repository, Digest digest) implements Change {}

  record PutTag(String repository, String tag, Digest digest) implements Change {}

  record DeleteTag(String repository, String tag) implements Change {}

  default String encode() {
    return switch (this) {
      case LinkBlob(var name, var digest, var size) -> words("blob", name, digest, size);
      case UnlinkBlob(var name, var digest) -> words("unblob", name, digest);
      case PutManifest(var name, var digest, var entry) ->
          words("manifest", name, digest, entry.size(), entry.mediaType())
              + (entry.subject() == null ? "" : " " + entry.subject())
              + (entry.fields() == null ? "" : " " + entry.fields().encode());
      case DeleteManifest(var name, var digest) -> words("unmanifest", name, digest);
      case PutTag(var name, var tag, var digest) -> words("tag", name, tag, digest);
      case DeleteTag(var name, var tag) -> words("untag", name, tag);
    };
  }

  private static String words(Object... words) {
    StringBuilder text = new StringBuilder();
    for (Object word : words) {
      text.append(text.isEmpty() ? "" : " ").append(word);
    }
    return text.toString();
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @param digests one instance for each digest, because each stands in many places
   * @throws Problem of kind CORRUPT or INPUT
   */
  static Change decode(String text, Map<String, Digest> digests) {
    List<String> words = List.of(text.split(" ", -1));
    String form = words.getFirst() + "/" + words.size();
    return switch (form) {
      case "blob/4" ->
          new LinkBlob(words.get(1), digest(words.get(2), digests), number(words.get(3)));
      case "unblob/3" -> new UnlinkBlob(words.get(1), digest(words.get(2), digests));
      case "manifest/5", "manifest/6", "manifest/7" ->
          new PutManifest(
              words.get(1),
              digest(words.get(2), digests),
              new ManifestEntry(
                  words.get(4),
                  number(words.get(3)),
                  words.size() == 5 ? null : digest(words.get(5), digests),
                  words.size() < 7 ? null : ReferrerFields.decode(words.get(6))));
      case "unmanifest/3" -> new DeleteManifest(words.get(1), digest(words.get(2), digests));
      case "tag/4" -> new PutTag(words.get(1), words.get(2), digest(words.get(3), digests));
      case "untag/3" -> new DeleteTag(words.get(1), words.get(2));
      default -> throw Problem.corrupt("unknown change \"" + form + "\"");
    };
  }

  private static Digest digest(String text, Map<String, Digest> digests) {
    return digests.computeIfAbsent(text, Digest::parse);
  }

  private static long number(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new Problem(Problem.Kind.CORRUPT, "\"" + text + "\" is not a size", e);
    }
  }

  /**
   * What is known of a manifest without reading it.
   *
   * @param mediaType as pushed, and served again
   * @param size in bytes
   * @param subject what it refers to, or null
   * @param fields what a list of referrers tells of it; null when it has no subject, or when they
   *     are too long to be kept in memory and are read from the manifest when asked for
   */
  record ManifestEntry(
      String mediaType, long size, @Nullable Digest subject, @Nullable ReferrerFields fields) {}

  /**
   * What a list of referrers tells of a manifest (distribution-spec, "Listing Referrers").
   *
   * @param artifactType of the manifest, or else of its config, or null
   */
  record ReferrerFields(@Nullable String artifactType, Map<String, String> annotations) {
    /** Characters that are kept in memory for one manifest. */
    private static final int KEPT = 4096;

    private static final String TYPE = "artifactType";
    private static final String ANNOTATIONS = "annotations";

    public static ReferrerFields of(Manifest manifest) {
      String type = manifest.artifactType();
      if (type == null || type.isEmpty()) {
        type = manifest instanceof Manifest.Image image ? image.config().mediaType() : null;
      }
      return new ReferrerFields(type, new TreeMap<>(manifest.annotations()));
    }

    /** Characters of all names and values. */
    public long length() {
      long sum = artifactType == null ? 0 : artifactType.length();
      for (Map.Entry<String, String> e : annotations.entrySet()) {
        sum += e.getKey().length() + e.getValue().length();
      }
      return sum;
    }

    /** Itself, or null when it is too long to be kept in memory. */
    @Nullable
    public ReferrerFields kept() {
      return length() > KEPT ? null : this;
    }

    /** One word. */
    String encode() {
      return Base64.getUrlEncoder().withoutPadding().encodeToString(json());
    }

    public byte[] json() {
      ObjectNode root = JsonNodeFactory.instance.objectNode();
      if (artifactType != null) {
        root.put(TYPE, artifactType);
      }
      ObjectNode all = root.putObject(ANNOTATIONS);
      annotations.forEach(all::put);
      return Json.write(root);
    }

    static ReferrerFields decode(String word) {
      try {
        return read(Base64.getUrlDecoder().decode(word.getBytes(StandardCharsets.ISO_8859_1)));
      } catch (IllegalArgumentException | JacksonException e) {
        throw new Problem(Problem.Kind.CORRUPT, "the fields of a referrer are damaged", e);
      }
    }

    /** Reads what {@link #json} wrote. */
    public static ReferrerFields read(byte[] json) {
      JsonNode root = Json.read(json);
      Map<String, String> annotations = new TreeMap<>();
      root.path(ANNOTATIONS)
          .properties()
          .forEach(e -> annotations.put(e.getKey(), e.getValue().stringValue()));
      JsonNode type = root.get(TYPE);
      return new ReferrerFields(type == null ? null : type.stringValue(), annotations);
    }
  }
}
