package io.zipcomm.collectives.barrier;

import io.zipcomm.collectives.pattern.Dissemination;
import io.zipcomm.collectives.plan.Algorithm;
import io.zipcomm.collectives.plan.Extent;
import io.zipcomm.collectives.plan.PlanBuilder;
import io.zipcomm.collectives.plan.Shape;

/**
 * Dissemination barrier: in each round, an empty message to the rank at twice the distance of the round before.
 *
 * <p>Steps ceil(log2 P), each a message sent and one received; no bytes but headers; no scratch.
 *
 * <p>Source: Hensgen, Finkel, Manber, "Two algorithms for barrier synchronization", 1988.
 */
public final class DisseminationBarrier implements Algorithm {

    @Override
    public void plan(Shape shape, PlanBuilder plan) {
        Dissemination pattern = new Dissemination(shape.rank(), shape.size());
        Extent nothing = Extent.target(0);
        for (int round = 0; round < pattern.rounds(); round++) {
            int distance = pattern.distance(round);
            plan.send(pattern.after(distance), nothing);
            plan.receive(pattern.before(distance), nothing);
            plan.fence();
        }
    }
}
