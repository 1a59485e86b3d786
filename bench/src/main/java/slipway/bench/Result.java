package slipway.bench;

import java.util.List;

/**
 * A scenario's outcome.
 *
 * @param loadBefore the load average of one minute when it began
 * @param loadAfter and when it ended
 */
record Result(
    String name,
    String title,
    Samples samples,
    List<Ratio> ratios,
    List<String> notes,
    double loadBefore,
    double loadAfter) {}
