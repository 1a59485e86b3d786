package slipway.oci.registry;

import java.io.IOException;
import java.net.URI;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.ManifestJson;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Reference;
import tools.jackson.databind.JsonNode;

/** Reads the lists of a registry, which come in pages (distribution-spec, "Listing Tags"). */
final class RegistryPages {
  private static final Pattern NEXT = Pattern.compile("<([^>]*)>\\s*;.*\\brel=\"?next\"?.*");

  private final RegistryHttp http;
  private final Reference name;
  private final String action;

  /**
   * @param name of the repository, or of any for the list of repositories
   * @param action for messages, after "cannot"
   */
  RegistryPages(RegistryHttp http, Reference name, String action) {
    this.http = http;
    this.name = name;
    this.action = action;
  }

  /** Takes the body of a page. */
  @FunctionalInterface
  interface Page {
    void accept(byte[] body);
  }

  /**
   * Follows Link headers from page to page.
   *
   * @param first the path of the first page
   * @param actions what a token must allow in the repository; empty for the list of repositories
   * @return false when the first page is not found
   */
  boolean read(String first, String actions, Page page) throws IOException {
    Set<String> seen = new HashSet<>();
    for (String next = first; next != null; ) {
      if (!seen.add(next)) {
        throw Problem.corrupt("cannot " + action + ": the pages of the list go in a circle");
      }
      String scope =
          actions.isEmpty()
              ? "registry:catalog:*"
              : "repository:" + name.repository() + ":" + actions;
      RegistryHttp.Call call = new RegistryHttp.Call(name, next, Set.of(scope), action);
      try (RegistryHttp.Answer answer = http.exchange(call, b -> b.header("Accept", "*/*").GET())) {
        if (answer.status() == 404 && seen.size() == 1) {
          return false;
        }
        if (answer.status() != 200) {
          throw http.refused(answer, action);
        }
        page.accept(answer.bytes(Limit.MANIFEST_BYTES, action));
        next = nextPage(answer);
      } catch (IOException e) {
        throw http.failed(e, action);
      }
    }
    return true;
  }

  private @Nullable String nextPage(RegistryHttp.Answer answer) {
    for (String link : answer.headers().allValues("Link")) {
      Matcher next = NEXT.matcher(link);
      if (next.matches()) {
        URI target;
        try {
          target = answer.uri().resolve(next.group(1));
        } catch (IllegalArgumentException e) {
          throw new Problem(
              Problem.Kind.CORRUPT, "cannot " + action + ": the next page has no URL", e);
        }
        // Only its path counts: the list goes on where it began.
        return target.getRawPath()
            + (target.getRawQuery() == null ? "" : "?" + target.getRawQuery());
      }
    }
    return null;
  }

  /** Adds the texts of a field of a page. */
  static void names(byte[] body, String field, List<String> all) {
    JsonNode root = ManifestJson.read(body, "list");
    root.path(field).forEach(n -> all.add(n.asString("")));
    Limit.LIST_ENTRIES.check(all.size(), "the list");
  }

  /** Adds the descriptors of a page. */
  static void referrers(byte[] body, List<Descriptor> all) {
    if (!(Manifest.parse(body, MediaTypes.OCI_INDEX) instanceof Manifest.Index index)) {
      throw Problem.corrupt("the list of referrers is not an index");
    }
    all.addAll(index.manifests());
    Limit.LIST_ENTRIES.check(all.size(), "the list of referrers");
  }
}
