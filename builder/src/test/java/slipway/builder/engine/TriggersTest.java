package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.BuildRequestBuilder;
import slipway.container.RunNetwork;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;

/** What the author of a base image gets by ONBUILD, and what not. */
@Timeout(120)
class TriggersTest extends BaseCase {
  private void base(String... triggers) throws Exception {
    Manifest.Image base = lab.store.image(Lab.BASE, Platform.host());
    ImageDraft draft = ImageDraft.of(lab.store.config(base));
    draft.onBuild.addAll(List.of(triggers));
    draft.setEnv("OTHER", "private:1");
    ImageConfig config = draft.toConfig(null, lab.store.config(base).diffIds());
    lab.put("localhost/evil:1", config, base.layers().toArray(Descriptor[]::new));
  }

  private BuildRequestBuilder request() throws Exception {
    return request(lab.context("FROM evil:1\n"));
  }

  private BuildRequestBuilder request(Path context) {
    return BuildRequest.of(context)
        .secrets(Map.of("s", () -> "secret".getBytes(java.nio.charset.StandardCharsets.UTF_8)))
        .agents(Map.of("default", directory.resolve("agent")))
        .allowInsecure(true);
  }

  @ParameterizedTest
  @Tag("slow")
  @ValueSource(
      strings = {
        "COPY --from=containers-storage:localhost/private /etc /x",
        "COPY --from=oci:/srv/images:private /etc /x",
        "COPY --from=dir:/srv/image /etc /x",
        "COPY --from=private:1 /etc /x",
        "COPY --from=$OTHER /etc /x",
        "COPY --from=docker://registry.example.com/private /etc /x",
        "RUN --mount=type=bind,from=docker-archive:/srv/private.tar,target=/m true",
        "RUN --mount=type=bind,from=$OTHER,target=/m true",
        "RUN --mount=type=cache,from=private:1,target=/m true",
        "RUN --mount=type=secret,id=s cat /run/secrets/s >/stolen",
        "RUN --mount=type=ssh ssh-add -l >/stolen",
        "RUN --security=insecure true",
        "RUN --network=host true",
        "ADD http://127.0.0.1:8080/private /x",
        "ADD git@github.com:corp/private.git /x",
      })
  void onBuildDoesNotGetWhatOnlyTheOneWhoBuildsMayGive(String trigger) throws Exception {
    lab.build(
        BuildRequest.of(lab.context("FROM base:1\nRUN mkdir -p /etc\n"))
            .tags(List.of(Reference.parse("localhost/private:1"))));
    base(trigger);
    assertThatThrownBy(() -> lab.build(request()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("the base image's ONBUILD asks for ")
        .hasMessageContaining("; if you trust the image, build with ")
        .hasMessageContaining("--allow onbuild");
  }

  @ParameterizedTest
  @ValueSource(strings = {"FROM base:1", "  from base:1", "ONBUILD RUN true", "MAINTAINER me"})
  void onBuildDoesNotHoldWhatNoContainerfileCanPutThere(String trigger) throws Exception {
    base(trigger);
    assertThatThrownBy(() -> lab.build(request().allowOnBuild(true)))
        .isInstanceOf(Problem.class)
        .hasMessageEndingWith(
            "Containerfile:1: the base image's ONBUILD cannot hold "
                + trigger.strip().split(" ")[0].toUpperCase(java.util.Locale.ROOT));
  }

  @Test
  @Tag("slow")
  void whatIsTrustedGetsIt() throws Exception {
    Path layout = directory.resolve("layout");
    lab.build(
        BuildRequest.of(lab.context("FROM scratch\nCOPY <<f /\nother\nf\n"))
            .tags(List.of(Reference.parse("localhost/private:1"))));
    try (var source = lab.store.source();
        var sink = OciLayout.create(layout, "private")) {
      Transfer.copy(
          source,
          "localhost/private:1",
          sink,
          null,
          Transfer.Options.of(Platform.host()),
          lab.progress());
    }
    base(
        "COPY --from=oci:" + layout + ":private /f /one",
        "RUN --mount=type=secret,id=s cat /run/secrets/s >/two",
        "RUN --mount=type=bind,from=private:1,target=/m cat /m/f >/three");
    Manifest.Image image = lab.build(request().allowOnBuild(true));
    assertThat(lab.text(image, "one")).isEqualTo("other\n");
    assertThat(lab.text(image, "two")).isEqualTo("secret");
    assertThat(lab.text(image, "three")).isEqualTo("other\n");
  }

  @Test
  void stagesContextsAndTheMachinesNetworkAreGivenByTheBuild() throws Exception {
    Path more = Files.createDirectory(directory.resolve("more"));
    Files.writeString(more.resolve("g"), "more\n");
    base(
        "COPY --from=one /f /one",
        "COPY --from=given /g /two",
        "RUN --mount=type=secret,id=none test ! -e /run/secrets/none",
        "RUN --network=host true");
    Manifest.Image image =
        lab.build(
            BuildRequest.of(lab.context("FROM scratch AS one\nCOPY <<f /\none\nf\nFROM evil:1\n"))
                .contexts(Map.of("given", more))
                .network(RunNetwork.HOST));
    assertThat(lab.text(image, "one")).isEqualTo("one\n");
    assertThat(lab.text(image, "two")).isEqualTo("more\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "COPY --from=$PLACE /f /x",
        "COPY --from=${PLACE:-base:1} /f /x",
        "RUN --mount=type=bind,from=$PLACE,target=/m true",
        "ENV MINE=$PLACE\nCOPY --from=$MINE /f /x",
        "ARG MINE=${PLACE}\nCOPY --from=$MINE /f /x",
        "ARG PLACE=base:1\nCOPY --from=$PLACE /f /x",
        "COPY --from=oci:$WORD /f /x",
        "COPY --from=$TRIGGERED /f /x",
        "FROM a AS b\nCOPY --from=$PLACE /f /x",
      })
  void aVariableOfTheBaseChoosesNoFilesOfTheMachine(String lines) throws Exception {
    base("ENV TRIGGERED=dir:/srv/image", "ENV PLACE=oci:/srv/images:private WORD=/srv/images");
    Path context = lab.context("FROM evil:1 AS a\n" + lines + "\n");
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("a variable of the base image chooses ")
        .hasMessageContaining("/srv/image")
        .hasMessageEndingWith("if you trust the image, build with --allow onbuild");
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context).allowOnBuild(true)))
        .hasMessageContaining("/srv/image")
        .hasMessageNotContaining("a variable of the base image");
  }

  /** Its author may not reach them, but this machine does. */
  @ParameterizedTest
  @Tag("slow")
  @ValueSource(
      strings = {
        "ARG MIRROR=https://deb.invalid\nADD $MIRROR/tool.tgz /opt/",
        "ADD ${MIRROR}/tool.tgz /opt/",
        "ADD [\"$MIRROR/tool.tgz\", \"/opt/\"]",
        "ADD http://$HOST/tool.tgz /opt/",
        "ADD http://deb.invalid$AT/tool.tgz /opt/",
        "ADD http://user@${HOST%/}/tool.tgz /opt/",
        "ADD ${MIRROR/127/127}/tool.git /opt/",
        "ADD git@$HOST:corp/private.git /opt/",
        "ENV URL=$MIRROR/tool.tgz\nADD $URL /opt/",
        "ADD $TRIGGERED /opt/",
        "FROM a AS b\nADD $MIRROR/tool.tgz /opt/",
        "COPY --from=$HOST/private /f /x",
        "COPY --from=docker://$HOST/private /f /x",
        "COPY --from=golang:$PORT /f /x",
        "RUN --mount=type=bind,from=$HOST/private,target=/m true",
        "RUN --mount=type=secret,id=$SECRET cat /run/secrets/s",
        "RUN --mount=type=secret,target=/run/$SECRET cat /run/s",
        "RUN --mount=type=ssh,id=$AGENT true",
      })
  void aVariableOfTheBaseChoosesNoServerAndNoSecret(String lines) throws Exception {
    base(
        "ENV TRIGGERED=http://127.0.0.1:1/private",
        "ENV MIRROR=http://127.0.0.1:1 HOST=127.0.0.1:1 AT=@127.0.0.1:1 PORT=1/x SECRET=s"
            + " AGENT=default");
    BuildRequestBuilder draft = request(lab.context("FROM evil:1 AS a\n" + lines + "\n"));
    assertThatThrownBy(() -> lab.build(draft))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("a variable of the base image chooses ")
        .hasMessageEndingWith("if you trust the image, build with --allow onbuild");
  }

  /** Nothing listens there: that it is asked shows. */
  @ParameterizedTest
  @Tag("slow")
  @ValueSource(
      strings = {
        "ADD http://127.0.0.1:1/tool-$VERSION.tgz /opt/",
        "ADD \"http://127.0.0.1:1/$VERSION\" /opt/",
        "ENV URL=http://127.0.0.1:1/$VERSION/tool.tgz\nADD ${URL%.tgz} /opt/",
        "ADD http://127.0.0.1:1/$VERSION.git#$VERSION /opt/",
        "COPY --from=127.0.0.1:1/tool:$VERSION /f /x",
      })
  void aVariableOfTheBaseStandsInThePathOfAServerThatTheContainerfileNames(String lines)
      throws Exception {
    base("ENV VERSION=1.2");
    assertThatThrownBy(() -> lab.build("FROM evil:1\n" + lines + "\n"))
        .hasMessageContaining("127.0.0.1:1/")
        .hasMessageContaining("1.2")
        .hasMessageNotContaining("a variable of the base image");
  }

  @Test
  void aVariableOfTheBaseNamesAStageAndATarget() throws Exception {
    base("ENV FIRST=one OWN=s");
    Manifest.Image image =
        lab.build(
            request(
                lab.context(
                    """
                    FROM scratch AS one
                    COPY <<f /
                    one
                    f
                    FROM evil:1
                    COPY --from=$FIRST /f /one
                    RUN --mount=type=secret,id=s,target=/$OWN cat /s >/two
                    """)));
    assertThat(lab.text(image, "one")).isEqualTo("one\n");
    assertThat(lab.text(image, "two")).isEqualTo("secret");
  }

  @Test
  void aVariableOfOnesOwnIsOnesOwn() throws Exception {
    base("ENV PLACE=oci:/srv/images:private");
    Path own = directory.resolve("none");
    for (String lines :
        List.of(
            "ENV PLACE=oci:" + own + "\nCOPY --from=$PLACE /f /x\n",
            "ARG OWN=oci:" + own + "\nCOPY --from=$OWN /f /x\n",
            "COPY --from=oci:" + own + " /f /$PLACE\n")) {
      assertThatThrownBy(() -> lab.build("FROM evil:1\n" + lines))
          .hasMessageContaining(own.toString())
          .hasMessageNotContaining("a variable of the base image");
    }
  }

  @Test
  void whatTheContainerfileItselfSaysIsObeyed() throws Exception {
    Manifest.Image image =
        lab.build("FROM base:1 AS a\nONBUILD COPY --from=base:1 /etc/group /copied\nFROM a\n");
    assertThat(lab.text(image, "copied")).startsWith("root:x:0:");
  }
}
