package slipway.oci.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import tools.jackson.databind.JsonNode;

/** What is written again keeps the fields that nobody here knows. */
class OtherFieldsTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void ofDescriptors() {
    String descriptor =
        """
        {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":7,
         "annotations":{"a":"b"},"urls":["https://a/b"],"data":"e30=","x.new":{"y":[1,null]},
         "platform":{"architecture":"amd64","os":"windows","os.version":"10.0.1","os.features":["win32k"]}}"""
            .formatted("a".repeat(64));
    Manifest.Index index =
        (Manifest.Index)
            Manifest.parse(bytes("{\"schemaVersion\":2,\"manifests\":[" + descriptor + "]}"), null);
    Manifest again = Manifest.Index.of(index.manifests(), Map.of());
    JsonNode written = Json.read(again.bytes()).at("/manifests/0");
    assertThat((Object) written).isEqualTo(Json.read(descriptor));
    Descriptor more = index.manifests().getFirst().withAnnotations(Map.of()).withMediaType("x");
    assertThat(more.others()).isEqualTo(index.manifests().getFirst().others());
    assertThat(more.platformOthers().fields()).containsOnlyKeys("os.version", "os.features");
  }

  @Test
  void ofConfigs() {
    String config =
        """
        {"architecture":"amd64","os":"linux","os.version":"1","created":"2026-01-01T00:00:00Z",
         "config":{"User":"a","ArgsEscaped":true,"New":{"x":1}},
         "rootfs":{"type":"layers","diff_ids":["sha256:%s"]},
         "history":[{"created_by":"x","author":"joe"}],"moby.buildkit":{"v":1}}"""
            .formatted("b".repeat(64));
    ImageConfig parsed = ImageConfig.parse(bytes(config));
    assertThat((Object) Json.read(parsed.toJson())).isEqualTo(Json.read(config));
    ImageConfig derived =
        ImageConfig.draft(parsed.platform())
            .others(parsed.others())
            .configOthers(parsed.configOthers())
            .build();
    assertThat(Json.read(derived.toJson()).at("/config/New/x").asInt()).isEqualTo(1);
    assertThat(Json.read(derived.toJson()).path("os.version").asString()).isEqualTo("1");
  }

  /** Decoders in Go match names without case, and the last counts. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'config':{'User':'a','user':'root'}}",
        "{'config':{'entrypoint':['/x']}}",
        "{'config':{},'Config':{}}",
        "{'Config':{'User':'root'}}",
        "{'rootfs':{'type':'layers','DIFF_IDS':[]}}",
        "{'rootfs':{},'rootf\u017f':{}}",
        "{'history':[{'Empty_Layer':true}]}"
      })
  void ofConfigsThatNobodyMayMistake(String config) {
    assertThatThrownBy(() -> ImageConfig.parse(bytes(config.replace('\'', '"'))))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("which some programs take for");
  }

  @ParameterizedTest
  @ValueSource(strings = {"'Layers':[]", "'layers':[{'Digest':'x'}]", "'MediaType':'x'"})
  void ofManifestsThatNobodyMayMistake(String more) {
    String descriptor = "'mediaType':'a/b','size':1,'digest':'sha256:%s'".formatted("a".repeat(64));
    String manifest =
        "{'schemaVersion':2,'config':{%s},%s}"
            .formatted(descriptor, more.replace("'Digest'", descriptor + ",'Digest'"));
    assertThatThrownBy(() -> Manifest.parse(bytes(manifest.replace('\'', '"')), null))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("which some programs take for");
  }
}
