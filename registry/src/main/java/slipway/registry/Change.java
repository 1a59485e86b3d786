package slipway.registry;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.Digest;

/**
 * One change of what repositories hold, as it stands in the journal: a word and its arguments with
 * one blank between. Names, tags, digests and the media types that are accepted hold neither blanks
 * nor semicolons.
 */
sealed interface Change {
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
              + (entry.subject() == null ? "" : " " + entry.subject());
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
      case "manifest/5", "manifest/6" ->
          new PutManifest(
              words.get(1),
              digest(words.get(2), digests),
              new ManifestEntry(
                  words.get(4),
                  number(words.get(3)),
                  words.size() == 5 ? null : digest(words.get(5), digests)));
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
   */
  record ManifestEntry(String mediaType, long size, @Nullable Digest subject) {}
}
