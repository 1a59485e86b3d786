package slipway.bench;

/**
 * What one run took.
 *
 * @param wall seconds on the clock
 * @param cpu user and system seconds of the process and of all children that it waited for; work
 *     that the kernel does in threads of its own (loop devices, write-back) is in nobody's count
 * @param peakRss most bytes resident in the process itself, its children left out; 0 when unknown
 */
record Measured(double wall, double cpu, long peakRss) {
  /** Two runs, one after the other. */
  Measured then(Measured next) {
    return new Measured(wall + next.wall, cpu + next.cpu, Math.max(peakRss, next.peakRss));
  }
}
