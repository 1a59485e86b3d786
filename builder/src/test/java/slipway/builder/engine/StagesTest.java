package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.BuildRequestBuilder;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;

/** What stages get from those they are built on, and how they name each other. */
@Timeout(120)
class StagesTest extends BaseCase {
  private static final String ONE = "FROM scratch AS one\nCOPY <<f /\none\nf\n";

  @BeforeEach
  void open() throws Exception {
    ImageDraft draft = ImageDraft.scratch(Platform.host());
    draft.setEnv("T", "one");
    lab.put("localhost/env:1", draft.toConfig(null, List.of()));
    ImageDraft trigger = ImageDraft.scratch(Platform.host());
    trigger.onBuild.add("COPY --from=one /f /copied");
    lab.put("localhost/trigger:1", trigger.toConfig(null, List.of()));
  }

  @Test
  void argumentsAreInherited() throws Exception {
    Path context =
        lab.context(
            """
            ARG G=global
            FROM scratch AS a
            ARG X=1
            ARG Y
            ARG G
            FROM a AS b
            ENV Z=$X-$Y-$G
            FROM b
            ARG X=2
            LABEL z=$X-$Y-$G
            FROM scratch AS other
            LABEL z=${X-none}
            """);
    BuildRequestBuilder request = BuildRequest.of(context).arguments(Map.of("Y", "y"));
    assertThat(lab.config(lab.build(request.target("b"))).env()).contains("Z=1-y-global");
    assertThat(lab.config(lab.build(request.target("2"))).labels())
        .containsEntry("z", "2-y-global");
    assertThat(lab.config(lab.build(request.target("other"))).labels()).containsEntry("z", "none");
  }

  @Test
  void runSeesInheritedArguments() throws Exception {
    Manifest.Image image = lab.build("FROM base:1 AS a\nARG X=1\nFROM a\nRUN echo \"$X\" > /x\n");
    assertThat(lab.text(image, "x")).isEqualTo("1\n");
  }

  @ParameterizedTest
  @Tag("slow")
  @ValueSource(
      strings = {
        "FROM base:1\nENV T=\"one\"\n",
        "FROM base:1\nENV P=on\nENV T=${P}e\n",
        "FROM base:1\nARG T='one'\n",
        "FROM base:1 AS a\nENV T=one\nFROM a\n",
        "FROM base:1 AS a\nARG T=one\nFROM a AS b\nFROM b\n",
      })
  void stagesAreNamedByVariables(String stage) throws Exception {
    Manifest.Image image =
        lab.build(
            ONE
                + stage
                + "COPY --from=$T /f /copied\n"
                + "RUN --mount=type=bind,from=$T,source=/,target=/m cat /m/f > /mounted\n");
    assertThat(lab.text(image, "copied")).isEqualTo("one\n");
    assertThat(lab.text(image, "mounted")).isEqualTo("one\n");
  }

  @Test
  void baseImagesNameStages() throws Exception {
    Manifest.Image image = lab.build(ONE + "FROM env:1\nCOPY --from=${T:?} /f /copied\n");
    assertThat(lab.text(image, "copied")).isEqualTo("one\n");
    assertThat(lab.text(lab.build(ONE + "FROM trigger:1\n"), "copied")).isEqualTo("one\n");
    assertThatThrownBy(
            () -> lab.build("FROM scratch AS one\nCOPY none /f\nFROM trigger:1\nLABEL a=b\n"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("Containerfile:2: COPY: \"none\" is not in the build context");
  }

  /** With one place for steps, a stage that is waited for needs it first. */
  @Test
  @Tag("slow")
  void cachesBeginWithStages() throws Exception {
    Path context =
        lab.context(
            "FROM base:1 AS one\nRUN sleep 1; echo one > /f\nFROM base:1\nRUN"
                + " --mount=type=cache,from=one,id=begins,target=/c cat /c/f > /copied\n");
    Manifest.Image image = lab.build(BuildRequest.of(context).jobs(1));
    assertThat(lab.text(image, "copied")).isEqualTo("one\n");
  }
}
