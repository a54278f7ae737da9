package io.zipcomm.collectives.plan;

/** How an operation is done: a pure function from a shape to the steps of one rank. Stateless. */
public interface Algorithm {

    /**
     * Adds this rank's steps, in an order in which they could be done one after the other. What depends on what the
     * builder finds out from the memory that they use.
     *
     * @param shape what is to be done
     * @param plan  takes the steps
     */
    void plan(Shape shape, PlanBuilder plan);
}
