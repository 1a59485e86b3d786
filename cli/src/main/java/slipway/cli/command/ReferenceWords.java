package slipway.cli.command;

import java.util.Map;
import java.util.Optional;

/**
 * Commands and options of bootc that are not here, and what to do in their place. Those that have
 * nothing in their place are unknown words.
 */
public final class ReferenceWords {
  private static final String NO_COMPOSEFS =
      "machines have ostree's layout here, with composefs where the image turns it on; leave it out";

  /** By the line that a command is called by, without its program. */
  private static final Map<String, String> COMMANDS =
      Map.ofEntries(
          Map.entry("delete-deployment", "use bootc delete"),
          Map.entry(
              "composefs-finalize-staged",
              "slipway-finalize-staged.service finishes what is staged, at the shutdown"),
          Map.entry("exec-in-host-mount-namespace", "use nsenter --target 1 --mount COMMAND"),
          Map.entry("state", "there is no second backend beside ostree that could be wiped"),
          Map.entry(
              "image set-unified",
              "images are kept by ostree alone; bootc image copy-to-storage copies one to podman"),
          Map.entry(
              "container split-kernel-and-rootfs",
              "copy the folder of /usr/lib/modules that holds vmlinuz, and name the copy to bootc"
                  + " container ukify by --kernel-dir"),
          Map.entry(
              "container compute-composefs-digest-from-storage",
              "mount the image (podman image mount) and name that folder to bootc container"
                  + " compute-composefs-digest"),
          Map.entry("internals fsck", "use bootc fsck"),
          Map.entry("internals reboot", "use systemctl reboot"),
          Map.entry("internals ostree-ext", "use ostree container"),
          Map.entry("internals bootc-install-completion", "use bootc install ensure-completion"),
          Map.entry(
              "internals cleanup", "what nothing needs any more goes with each change of versions"),
          Map.entry(
              "internals print-json-schema",
              "documents follow the reference's schemas host-v1 and progress-v0"));

  /** By name, of the ways to install. */
  private static final Map<String, String> INSTALL_OPTIONS =
      Map.of(
          "--composefs-backend",
          NO_COMPOSEFS,
          "--allow-missing-verity",
          NO_COMPOSEFS,
          "--uki-addon",
          "give its arguments by --karg",
          "--disable-selinux",
          "give --karg selinux=0",
          "--bootupd-skip-boot-uuid",
          "let the image say it: bootupd.skip-boot-uuid = true below [install] in a file of"
              + " /usr/lib/bootc/install",
          "--run-fetch-check",
          "nothing is asked of where updates come from; skopeo inspect docker://NAME shows whether"
              + " it answers",
          "--target-transport",
          "what is installed follows a registry; bootc switch --transport on the machine follows"
              + " other places",
          "--experimental-unified-storage",
          "images are kept by ostree alone; leave it out");

  private ReferenceWords() {}

  /**
   * The sentence for a word that a command does not know, if bootc does.
   *
   * @param command the line that the command is called by, such as {@code bootc image}
   * @param word a command below it, or an option without its value
   */
  public static Optional<String> instead(String command, String word) {
    String[] parts = command.split(" ", 2);
    if (!parts[0].equals("bootc")) {
      return Optional.empty();
    }
    String line = parts.length == 1 ? "" : parts[1];
    if (!word.startsWith("-")) {
      return Optional.ofNullable(COMMANDS.get((line + " " + word).strip()))
          .map(sentence -> "bootc " + (line + " " + word).strip() + " is not here; " + sentence);
    }
    boolean known =
        line.startsWith("install to-")
            || line.equals("install reset") && word.startsWith("--target-")
            || line.equals("switch") && word.equals("--experimental-unified-storage");
    return known
        ? Optional.ofNullable(INSTALL_OPTIONS.get(word))
            .map(sentence -> word + " is not here; " + sentence)
        : Optional.empty();
  }
}
