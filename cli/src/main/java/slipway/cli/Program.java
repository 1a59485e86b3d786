package slipway.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A name that the product answers to, with commands of its own, which are the rows of {@link Verb}.
 * Each but {@code slipway} is also a word of {@code slipway}: {@code slipway bootc status} is what
 * {@code bootc status} is.
 */
enum Program {
  SLIPWAY(
      "slipway",
      Parts.FULL,
      Verb.Group.HIDDEN,
      1,
      "ship operating systems the way people ship containers",
      List.of(
          "slipway demo",
          "slipway base build -t localhost/debian-bootc:trixie",
          "slipway build -f examples/web/Containerfile -t localhost/web:1 examples/web",
          "slipway disk build --type qcow2 --output out localhost/web:1",
          "slipway vm run --forward 8080:80 out/qcow2/disk.qcow2")),
  BOOTC(
      "bootc",
      Parts.HOST,
      Verb.Group.MACHINES,
      8,
      "install machines and keep them current",
      List.of("bootc status", "bootc upgrade --apply", "bootc switch registry.example/web:stable")),
  RPM_OSTREE(
      "rpm-ostree",
      Parts.HOST,
      Verb.Group.MACHINES,
      8,
      "tell a machine's status as rpm-ostree does",
      List.of("rpm-ostree status", "rpm-ostree status --json")),
  BOOTC_IMAGE_BUILDER(
      ImageBuilderLine.NAME,
      Parts.HOST,
      Verb.Group.MACHINES,
      1,
      "make disks as bootc-image-builder does; without a verb it is build",
      List.of(
          "bootc-image-builder build --type qcow2 --output out localhost/web:1",
          "bootc-image-builder manifest localhost/web:1"));

  /** Which of the product's parts must be there. */
  enum Parts {
    /** What {@code slipway base build} puts into an image: no builder, no servers. */
    HOST,
    FULL
  }

  private final String word;
  private final Parts parts;
  private final Verb.Group group;
  private final int section;
  private final String summary;
  private final List<String> examples;

  Program(
      String word,
      Parts parts,
      Verb.Group group,
      int section,
      String summary,
      List<String> examples) {
    this.word = word;
    this.parts = parts;
    this.group = group;
    this.section = section;
    this.summary = summary;
    this.examples = examples;
  }

  /** The program of that name, if there is one. */
  static @Nullable Program of(String word) {
    for (Program program : values()) {
      if (program.word.equals(word)) {
        return program;
      }
    }
    return null;
  }

  String word() {
    return word;
  }

  Parts parts() {
    return parts;
  }

  /** The heading under which the help of {@code slipway} names it. */
  Verb.Group group() {
    return group;
  }

  /** The section of the manual that its pages belong to. */
  int section() {
    return section;
  }

  /** What it does, without a capital and a full stop. */
  String summary() {
    return summary;
  }

  /** Whole command lines. */
  List<String> examples() {
    return examples;
  }

  /** The verbs that people type. */
  List<Verb> verbs() {
    return Arrays.stream(Verb.values())
        .filter(verb -> verb.program() == this && verb.group() != Verb.Group.HIDDEN)
        .toList();
  }

  /** The programs that are words of this one. */
  List<Program> programs() {
    return this == SLIPWAY ? Arrays.stream(values()).filter(p -> p != this).toList() : List.of();
  }

  /** Every word that may come first: verbs with their other names, and programs. */
  List<String> words() {
    List<String> words = new ArrayList<>();
    for (Verb verb : verbs()) {
      words.addAll(verb.words());
    }
    programs().forEach(program -> words.add(program.word));
    return words;
  }
}
