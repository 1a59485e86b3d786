package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.builder.session.BuildRequest;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;

/** Where FROM and COPY --from take images from beside the store, and what FROM alone gives. */
class BaseTransportsTest extends BaseCase {
  @Test
  void imagesComeFromDirectoriesArchivesAndPodmansStore() throws Exception {
    Path layout = directory.resolve("layout");
    try (ImageSink sink = OciLayout.create(layout, "1")) {
      Transfer.copy(lab.store.source(), Lab.BASE, sink, "1", Transfer.Options.all(), Progress.NONE);
    }
    String podman =
        "containers-storage:[vfs@%s/graph+%s/run]localhost/x:1".formatted(directory, directory);
    List<String> places =
        List.of(
            "oci-archive:" + directory + "/archive.tar:1",
            "docker-archive:" + directory + "/docker.tar:localhost/x:1",
            "dir:" + directory + "/dir",
            podman);
    for (String place : places) {
      Command.of("skopeo", "copy", "--quiet", "oci:" + layout + ":1", place).run();
    }
    Lab fresh = new Lab(Files.createDirectory(directory.resolve("fresh")));
    try (fresh) {
      String file =
          """
          FROM oci:%s:1 AS first
          COPY --from=oci-archive:%s/archive.tar /etc/passwd /a
          COPY --from=docker-archive:%s/docker.tar /etc/passwd /b
          COPY --from=dir:%s/dir /etc/passwd /c
          COPY --from=%s /etc/passwd /d
          FROM docker-archive:%s/docker.tar
          COPY --from=first /a /b /c /d /
          RUN cat /a /b /c /d | grep -c ^root:
          """
              .formatted(layout, directory, directory, directory, podman, directory);
      Manifest.Image image = fresh.build(file);
      assertThat(fresh.output).containsExactly("4");
      assertThat(fresh.tree(image).find("d")).isPresent();
      assertThatThrownBy(() -> fresh.build("FROM oci:" + directory + "/none:1\n"))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:1: ");
    }
  }

  @Test
  void fromAloneIsTheBaseItself() throws Exception {
    Manifest base = lab.store.find(Lab.BASE).orElseThrow();
    Manifest.Image same =
        lab.build(
            BuildRequest.of(lab.context("FROM base:1\n"))
                .tags(List.of(Reference.parse("localhost/same:1"))));
    assertThat(same.digest()).isEqualTo(base.digest());
    assertThat(lab.store.find("localhost/same:1").orElseThrow().digest()).isEqualTo(base.digest());
    Manifest.Image annotated =
        lab.build(
            BuildRequest.of(lab.context("FROM base:1\n"))
                .tags(List.of(Reference.parse("localhost/annotated:1")))
                .annotations(Map.of("a", "b")));
    assertThat(annotated.digest()).isNotEqualTo(base.digest());
    // One id, two manifests: no more digits could tell them apart.
    assertThat(annotated.config()).isEqualTo(same.config());
    assertThat(lab.store.find(annotated.config().digest().brief())).isPresent();
  }
}
