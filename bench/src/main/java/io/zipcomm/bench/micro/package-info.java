/**
 * JMH benchmarks of single classes on the data path: for finding out why, not for claims. Run with
 *
 * <pre>
 * java -cp 'bench/target/dist/lib/*' org.openjdk.jmh.Main -prof gc FrameHeaderBenchmark
 * </pre>
 */
package io.zipcomm.bench.micro;
