package io.zipcomm.bench.worker;

import io.zipcomm.Communicator;
import io.zipcomm.buffer.Payload;

/** A group of the library. */
record ZipTeam(Communicator world) implements Team {

    private static final int TAG = 10;

    @Override
    public int rank() {
        return world.rank();
    }

    @Override
    public int size() {
        return world.size();
    }

    @Override
    public Operations operations(String algorithm, int segments) {
        return new ZipOperations(world, algorithm, segments);
    }

    @Override
    public Exercise stream(boolean bothWays, Progress progress) {
        return new StreamExercise(world, bothWays, progress);
    }

    @Override
    public void send(int peer, long[] numbers, int count) {
        world.send(peer, TAG, Payload.of(numbers, 0, count));
    }

    @Override
    public void receive(int peer, long[] numbers, int count) {
        world.receive(peer, TAG, Payload.of(numbers, 0, count));
    }

    @Override
    public double sentBytes() {
        return world.counters().bytesSent();
    }
}
