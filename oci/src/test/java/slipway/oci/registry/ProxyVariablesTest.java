package slipway.oci.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Proxy;
import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;

class ProxyVariablesTest {
  private static String proxy(Map<String, String> environment, String uri) {
    Proxy proxy = new ProxyVariables(environment).select(URI.create(uri)).getFirst();
    return proxy.address() == null ? "direct" : proxy.address().toString();
  }

  @Test
  void choosesBySchemeAndHost() {
    Map<String, String> env =
        Map.of(
            "https_proxy",
            "http://127.0.0.9:3128",
            "HTTP_PROXY",
            "127.0.0.8:80",
            "no_proxy",
            "example.com, .corp, *.star,10.0.0.1:5000");
    assertThat(proxy(env, "https://quay.io/")).contains("127.0.0.9:3128");
    assertThat(proxy(env, "http://quay.io/")).contains("127.0.0.8:80");
    for (String direct :
        new String[] {
          "https://example.com/", "https://a.example.com", "https://a.corp/", "https://x.star/",
          "https://10.0.0.1:5000/", "https://localhost:5000/", "http://127.0.0.1/", "http://[::1]/"
        }) {
      assertThat(proxy(env, direct)).as(direct).isEqualTo("direct");
    }
    assertThat(proxy(env, "https://notexample.com/")).isNotEqualTo("direct");
    assertThat(proxy(Map.of(), "https://quay.io/")).isEqualTo("direct");
  }

  @Test
  void neverShowsTheSecretOfAProxy() {
    Map<String, String> env = Map.of("https_proxy", "http://joe:s3cr3t@127.0.0.9:3128");
    assertThatThrownBy(() -> proxy(env, "https://quay.io/"))
        .isInstanceOf(Problem.class)
        .hasMessageNotContaining("s3cr3t");
  }

  @Test
  void aPortThatCannotBeIsASentence() {
    Map<String, String> env = Map.of("https_proxy", "http://127.0.0.9:99999");
    assertThatThrownBy(() -> proxy(env, "https://quay.io/"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("http://HOST:PORT");
  }
}
