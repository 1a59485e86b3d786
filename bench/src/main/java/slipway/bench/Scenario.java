package slipway.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Something that Slipway and its peers do to the same input. */
interface Scenario {
  /** One of those who do it; takes part once a round. */
  interface Contender {
    /**
     * Does it once.
     *
     * @param dir empty, on the disk that is measured; removed afterwards
     * @param samples gets one value for each row that this contender fills
     */
    void run(Path dir, Samples samples) throws IOException;
  }

  /** As on the command line. */
  String name();

  /** One line. */
  String title();

  /** Those who take part; all shared input is ready when this returns. */
  List<Contender> contenders(Inputs inputs) throws IOException;

  List<Ratio> ratios(Samples samples);

  /** What a reader must know to judge the numbers; whole sentences. */
  List<String> notes();
}
