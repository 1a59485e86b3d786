package slipway.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.http.ByteRanges.Part;
import slipway.http.ByteRanges.Parts;
import slipway.http.ByteRanges.Unsatisfiable;
import slipway.http.ByteRanges.Whole;

class ByteRangesTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bytes=0-0|0+1",
        "bytes=0-99|0+100",
        "bytes=10-|10+90",
        "bytes=-5|95+5",
        "bytes=-500|0+100",
        "bytes=90-500|90+10",
        "BYTES=1-2|1+2",
        "bytes=0-1, 4-5 ,-2|0+2 4+2 98+2",
        "bytes=200-300,7-7|7+1",
        "bytes=0-99999999999999999999999|0+100",
        "bytes=99-99|99+1",
      })
  void parts(String header, String expected) {
    assertThat(show(ByteRanges.parse(header, 100))).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "bytes=100-",
    "bytes=100-200",
    "bytes=50-0",
    "bytes=-0",
    "bytes=99999999999999999999-",
  })
  void outOfReach(String header) {
    assertThat(ByteRanges.parse(header, 100)).isInstanceOf(Unsatisfiable.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bytes=",
        "bytes=a-b",
        "bytes=1",
        "items=0-1",
        "bytes=1-2,",
        "bytes=--1",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=0-99,0-99",
        "bytes 0-1",
        "bytes=-",
        "bytes=0x1-2",
        "bytes=1 - 2"
      })
  void ignored(String header) {
    assertThat(ByteRanges.parse(header, 100)).isInstanceOf(Whole.class);
  }

  @Test
  void emptyContentHasNoParts() {
    assertThat(ByteRanges.parse("bytes=0-", 0)).isInstanceOf(Unsatisfiable.class);
    assertThat(ByteRanges.parse(null, 0)).isInstanceOf(Whole.class);
  }

  @Test
  void tooManyRangesAreIgnored() {
    String header = "bytes=" + "0-0,".repeat(ByteRanges.MAX) + "1-1";
    assertThat(ByteRanges.parse(header, 100_000)).isInstanceOf(Whole.class);
  }

  @Test
  void anyTextGivesPartsInsideTheContent() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    String alphabet = "0123456789--,,,  =bytesx\t";
    for (int i = 0; i < 200_000; i++) {
      StringBuilder header = new StringBuilder("bytes=");
      int length = random.nextInt(24);
      for (int j = 0; j < length; j++) {
        header.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      long size = random.nextInt(3) == 0 ? random.nextLong(1L << 40) : random.nextInt(50);
      if (ByteRanges.parse(header.toString(), size) instanceof Parts(List<Part> parts)) {
        assertThat(parts).as("seed %d, %s of %d", seed, header, size).isNotEmpty();
        long sum = 0;
        for (Part part : parts) {
          boolean inside =
              part.offset() >= 0 && part.length() > 0 && part.offset() + part.length() <= size;
          assertThat(inside).as("seed %d, %s of %d: %s", seed, header, size, part).isTrue();
          sum += part.length();
        }
        assertThat(sum).as("seed %d", seed).isLessThanOrEqualTo(size);
      }
    }
  }

  private static String show(ByteRanges ranges) {
    return switch (ranges) {
      case Whole() -> "whole";
      case Unsatisfiable() -> "none";
      case Parts(List<Part> parts) ->
          String.join(" ", parts.stream().map(p -> p.offset() + "+" + p.length()).toList());
    };
  }
}
