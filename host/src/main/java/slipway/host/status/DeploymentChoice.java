package slipway.host.status;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/**
 * A deployment as a person names it: by its place as {@code ostree admin status} counts, a staged
 * one first; by the beginning of its commit or of its image's digest; or by what it is.
 */
public final class DeploymentChoice {
  private static final String DIGEST = "sha256:";

  /** What may name a deployment. */
  private static final Pattern WORD =
      Pattern.compile(
          "booted|staged|rollback|[0-9]{1,4}|"
              + DIGEST
              + "[0-9a-f]{6,}|[0-9a-f]{6,64}(\\.[0-9]+)?");

  private DeploymentChoice() {}

  /** All deployments, each at the place that is its index. */
  public static List<Deployment> all(Sysroot sysroot) {
    List<Deployment> all = new ArrayList<>();
    sysroot.staged().ifPresent(all::add);
    all.addAll(sysroot.deployments());
    return all;
  }

  /** The place of a deployment among all. */
  public static int index(Sysroot sysroot, Deployment deployment) {
    List<Deployment> all = all(sysroot);
    int index = 0;
    while (index < all.size() && !all.get(index).isSame(deployment)) {
      index++;
    }
    return index;
  }

  /** The one that {@code rollback} goes to: the first of the running one's stateroot. */
  public static Optional<Deployment> rollback(Sysroot sysroot) {
    Optional<Deployment> booted = sysroot.booted();
    return sysroot.deployments().stream()
        .filter(d -> booted.isPresent() && !d.booted())
        .filter(d -> d.stateroot().equals(booted.get().stateroot()))
        .findFirst();
  }

  /**
   * Finds the one that is meant.
   *
   * @param word an index, six or more digits of a commit, perhaps with a dot and the serial, or of
   *     {@code sha256:} and the image's digest, or booted, staged or rollback
   * @throws Problem of kind USAGE for another word, of kind NOT_FOUND when there is none, of kind
   *     INPUT when there are several
   */
  public static Deployment find(Sysroot sysroot, String word) throws IOException {
    List<Deployment> all = all(sysroot);
    List<Deployment> found =
        switch (word) {
          case "booted" -> sysroot.booted().stream().toList();
          case "staged" -> sysroot.staged().stream().toList();
          case "rollback" -> rollback(sysroot).stream().toList();
          default -> matching(sysroot, all, word);
        };
    if (found.isEmpty()) {
      throw none(word, all.size());
    }
    if (found.size() > 1) {
      throw Problem.input(
          "\""
              + Printable.text(word)
              + "\" is said of several deployments; name one by its index: "
              + found.stream()
                  .map(d -> String.valueOf(all.indexOf(d)))
                  .collect(Collectors.joining(", ")));
    }
    return found.getFirst();
  }

  private static Problem none(String word, int count) {
    return switch (word) {
      case "staged" -> Problem.notFound("nothing is staged; bootc status shows what there is");
      case "rollback" ->
          Problem.notFound(
              "there is no deployment to roll back to; bootc status shows what there is");
      default ->
          new Problem(
              WORD.matcher(word).matches() ? Problem.Kind.NOT_FOUND : Problem.Kind.USAGE,
              "no deployment is \""
                  + Printable.text(word)
                  + "\"; name one by its index, "
                  + (count == 1 ? "0" : "0 to " + (count - 1))
                  + ", by its commit or its image's digest: bootc status -v shows them");
    };
  }

  private static List<Deployment> matching(Sysroot sysroot, List<Deployment> all, String word)
      throws IOException {
    if (word.matches("[0-9]{1,4}")) {
      int index = Integer.parseInt(word);
      return index < all.size() ? List.of(all.get(index)) : List.of();
    }
    if (word.matches(DIGEST + "[0-9a-f]{6,}")) {
      List<Deployment> found = new ArrayList<>();
      for (Deployment d : all) {
        Optional<String> digest =
            sysroot
                .repository()
                .readableCommit(d.checksum())
                .flatMap(commit -> commit.string(StatusReader.MANIFEST_DIGEST));
        if (digest.filter(text -> text.startsWith(word)).isPresent()) {
          found.add(d);
        }
      }
      return found;
    }
    Predicate<Deployment> named =
        word.matches("[0-9a-f]{6,64}")
            ? d -> d.checksum().hex().startsWith(word)
            : d -> Objects.equals(d.id(), word);
    return all.stream().filter(named).toList();
  }
}
