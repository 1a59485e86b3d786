package slipway.oci.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.oci.store.LocalStore;

class ReferenceTest {
  @ParameterizedTest
  @CsvSource({
    "nginx, docker.io/library/nginx",
    "nginx:1, docker.io/library/nginx:1",
    "a/b, docker.io/a/b",
    "docker.io/nginx, docker.io/library/nginx",
    "index.docker.io/nginx, docker.io/library/nginx",
    "quay.io/a/b:c, quay.io/a/b:c",
    "localhost/a, localhost/a",
    "localhost:5000/a:b, localhost:5000/a:b",
    "HOST/a, HOST/a",
    "'[::1]:5000/a:b', '[::1]:5000/a:b'"
  })
  void readsWhatUsersType(String text, String whole) {
    assertThat(Reference.parse(text)).hasToString(whole);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        "/",
        "a//b",
        "A",
        "a:",
        "a/b:-x",
        "a@sha256:12",
        "quay.io/",
        "quay.io/A",
        "../a",
        "quay.io/a/../b",
        "a b",
        "quay.io:999999/x",
        "-x.io/a",
        "a.io/b\n"
      })
  void refusesTheRest(String text) {
    assertThatThrownBy(() -> Reference.parse(text))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.INPUT));
  }

  @Test
  void knowsLoopback() {
    assertThat(Reference.parse("127.0.0.1:5000/a").isLoopback()).isTrue();
    assertThat(Reference.parse("[::1]:5000/a").isLoopback()).isTrue();
    assertThat(Reference.parse("localhost/a").isLoopback()).isTrue();
    assertThat(Reference.parse("127.evil.example/a").isLoopback()).isFalse();
    assertThat(Reference.parse("localhost.example.com/a").isLoopback()).isFalse();
  }

  @Test
  void givesLocalNames() {
    assertThat(LocalStore.localName("web")).hasToString("localhost/web:latest");
    assertThat(LocalStore.localName("a/b:c")).hasToString("localhost/a/b:c");
    assertThat(LocalStore.localName("quay.io/a")).hasToString("quay.io/a:latest");
  }
}
