package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.BuildRequestBuilder;
import slipway.builder.session.ImagePuller;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;

/** Which images a build asks a registry for, and by which names. */
class BasePullTest extends BaseCase {
  @Test
  void basesArePulledWhenAskedFor() throws Exception {
    List<String> pulled = new ArrayList<>();
    Builder builder =
        lab.builder(
            (reference, platform, sink, progress) -> {
              pulled.add(reference.toString());
              return lab.copyBase(platform, sink, progress);
            });
    BuildRequestBuilder draft =
        BuildRequest.of(lab.context("FROM registry.example/os\nRUN true\n"));
    lab.build(builder, draft);
    lab.build(builder, draft);
    lab.build(builder, draft.pull(BuildRequest.Pull.ALWAYS));
    assertThat(pulled).containsExactly("registry.example/os:latest", "registry.example/os:latest");
  }

  @Test
  void shortNamesAreWhatTheMachineMakesOfThem() throws Exception {
    List<String> pulled = new ArrayList<>();
    ImagePuller puller =
        new ImagePuller() {
          @Override
          public Reference resolve(String name) {
            if (name.startsWith("many")) {
              throw Problem.input("\"" + name + "\" may be in several registries");
            }
            return Reference.parse("apps.example/team/" + name);
          }

          @Override
          public Manifest pull(
              Reference reference,
              slipway.oci.model.Platform platform,
              slipway.oci.copy.ImageSink sink,
              Progress progress)
              throws IOException {
            pulled.add(reference.toString());
            return lab.copyBase(platform, sink, progress);
          }
        };
    Builder builder = lab.builder(puller);
    // Not this one, which podman would not take either.
    Manifest.Image base = lab.store.image("base:1", slipway.oci.model.Platform.host());
    lab.store.tag(Reference.parse("docker.io/library/web:latest"), base.digest());
    String file =
        """
        FROM web
        COPY --from=tools:2 /etc/group /a
        RUN --mount=type=bind,from=more,target=/m cp /m/etc/group /b
        COPY --from=base:1 /etc/group /c
        COPY --from=%s /etc/group /d
        """
            .formatted(base.config().digest().hex().substring(0, 12));
    for (int i = 0; i < 2; i++) {
      lab.build(builder, BuildRequest.of(lab.context(file)));
    }
    assertThat(pulled)
        .containsExactlyInAnyOrder(
            "apps.example/team/web:latest",
            "apps.example/team/tools:2",
            "apps.example/team/more:latest");
    assertThatThrownBy(() -> lab.build(builder, BuildRequest.of(lab.context("FROM many\n"))))
        .hasMessageContaining("Containerfile:1: \"many\" may be in several registries");
  }
}
