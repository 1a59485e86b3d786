package slipway.host.update;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import slipway.base.FileReason;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.container.ContainerImages;
import slipway.ostree.container.ContainerRepair;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.FsckReport;
import slipway.ostree.repo.Repository;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;

/**
 * Checks every object of a machine's repository, that the files of deployments are those objects
 * and their composefs images what the commits say, and the kernels in {@code /boot}; mends what the
 * images can give again.
 */
final class MachineFsck {
  private final HostEnvironment host;
  private final Sysroot sysroot;
  private final Repository repository;
  private int relinked;
  private int kernels;
  private int images;

  MachineFsck(HostEnvironment host, Sysroot sysroot) throws IOException {
    this.host = host;
    this.sysroot = sysroot;
    this.repository = sysroot.repository();
  }

  /** Does it, and tells what it came to. */
  FsckOutcome tell(boolean repair, HostVoice voice) throws IOException {
    FsckOutcome result = run(repair);
    FsckReport left = result.left();
    left.errors().forEach(voice::say);
    if (result.mended() + result.relinked() > 0) {
      voice.say(
          "Mended "
              + counted(result.mended(), "object")
              + ", and led "
              + counted(result.relinked(), "file")
              + " of deployments to what is whole");
    }
    if (result.kernels() > 0) {
      voice.say("Put " + counted(result.kernels(), "file") + " of kernels into /boot again");
    }
    if (result.images() > 0) {
      voice.say("Wrote " + counted(result.images(), "composefs image") + " of deployments again");
    }
    if (left.isClean()) {
      voice.say(
          "Checked " + left.objects() + " objects of " + left.commits() + " commits: no errors");
    }
    return result;
  }

  static String counted(int count, String what) {
    return count + " " + what + (count == 1 ? "" : "s");
  }

  private FsckOutcome run(boolean repair) throws IOException {
    FsckReport found = check();
    if (found.isClean() || !repair) {
      return new FsckOutcome(repair, 0, 0, 0, 0, found);
    }
    Set<FsckReport.Broken> left = new HashSet<>(found.broken());
    try {
      for (Deployment deployment : deployments()) {
        if (!left.isEmpty()) {
          mend(deployment, left);
        }
      }
    } finally {
      // Whatever went wrong: what is whole again is of use to nobody before files lead to it.
      follow(found, left);
    }
    int mended = found.broken().size() - left.size();
    FsckReport after = mended + relinked + kernels + images == 0 ? found : check();
    return new FsckOutcome(repair, mended, relinked, kernels, images, after);
  }

  private List<Deployment> deployments() {
    List<Deployment> deployments = new ArrayList<>(sysroot.deployments());
    sysroot.staged().ifPresent(deployments::add);
    return deployments;
  }

  private FsckReport check() throws IOException {
    FsckReport objects = repository.fsck(host.progress());
    Map<Deployment, List<String>> found = new LinkedHashMap<>();
    for (Deployment deployment : deployments()) {
      List<String> sentences = new ArrayList<>();
      look(deployment, () -> sentences.addAll(sysroot.repair().checkKernel(deployment)), sentences);
      look(
          deployment,
          () -> {
            sentences.addAll(sysroot.repair().checkFiles(deployment));
            sentences.addAll(sysroot.repair().checkComposefs(deployment));
          },
          // A tree that cannot be read was told with the objects that it lacks.
          objects.broken().isEmpty() ? sentences : new ArrayList<>());
      found.put(deployment, sentences);
    }
    Set<String> errors = new LinkedHashSet<>(objects.errors());
    sysroot.reload();
    // What another process removed meanwhile was half there when we looked.
    List<Deployment> present = deployments();
    found.forEach(
        (deployment, sentences) -> {
          if (present.stream().anyMatch(deployment::isSame)) {
            errors.addAll(sentences);
          }
        });
    return new FsckReport(
        objects.commits(), objects.objects(), List.copyOf(errors), objects.broken());
  }

  /** Something to do with one deployment, which keeps nobody from doing it with the others. */
  private interface Step {
    void run() throws IOException;
  }

  private static void look(Deployment deployment, Step step, List<String> errors) {
    try {
      step.run();
    } catch (IOException | Problem e) {
      errors.add("the deployment " + deployment + " cannot be checked: " + FileReason.why(e));
    }
  }

  /** Brings what is whole again to where it is used, in each deployment on its own. */
  private void follow(FsckReport found, Set<FsckReport.Broken> left) {
    Set<Checksum> files = new HashSet<>();
    for (FsckReport.Broken object : found.broken()) {
      if (object.type() == ObjectType.FILE && !left.contains(object)) {
        files.add(object.checksum());
      }
    }
    for (Deployment deployment : deployments()) {
      attempt(deployment, () -> relinked += sysroot.repair().relink(deployment, files));
      attempt(deployment, () -> kernels += sysroot.repair().mendKernel(deployment));
      attempt(deployment, () -> images += sysroot.repair().mendComposefs(deployment));
    }
  }

  private void attempt(Deployment deployment, Step step) {
    try {
      step.run();
    } catch (IOException | Problem e) {
      host.progress()
          .note(
              "warning: the deployment "
                  + deployment
                  + " is not mended, or not all of it: "
                  + FileReason.why(e));
    }
  }

  /** By the image of one deployment; a place that does not answer leaves the others their turn. */
  private void mend(Deployment deployment, Set<FsckReport.Broken> left) throws IOException {
    Set<ContainerReference> places = new LinkedHashSet<>();
    deployment.origin().deployed().ifPresent(places::add);
    deployment.origin().container().ifPresent(places::add);
    for (ContainerReference place : places) {
      if (!left.isEmpty()) {
        mend(deployment, place, left);
      }
    }
  }

  private void mend(Deployment deployment, ContainerReference place, Set<FsckReport.Broken> left)
      throws IOException {
    int before = left.size();
    try (ImageSource source = host.images().open(place)) {
      Named image = image(deployment.checksum(), place);
      ContainerRepair.run(
          repository,
          left,
          source,
          image.manifest(),
          image.config(),
          ImagePull.transportName(place),
          host.progress());
    } catch (Problem e) {
      host.progress()
          .note(
              "warning: "
                  + Printable.text(place.image())
                  + " mends nothing"
                  + (left.size() < before ? " more: " : ": ")
                  + e.getMessage());
    }
  }

  private record Named(Manifest.Image manifest, ImageConfig config) {}

  /** As the deployment's commit has it; where that is broken, as its name says today. */
  private Named image(Checksum commit, ContainerReference reference) throws IOException {
    try {
      ContainerImages.Stored stored = new ContainerImages(repository).read(commit);
      return new Named(stored.manifest(), stored.config());
    } catch (Problem e) {
      ImagePull.Wanted wanted = new ImagePull.Wanted(reference, reference, null);
      try (ImagePull pull = ImagePull.prepare(host, repository, wanted)) {
        return new Named(pull.manifest(), pull.config());
      }
    }
  }
}
