package io.quoin.management.operation;

/**
 * An operation as clients see it.
 *
 * <p>Threading: immutable.
 *
 * @param name as in disk.resize; its class is named alike
 * @param kind what it does
 * @param route where it is in the HTTP API
 * @param summary one line
 * @param request what it takes
 * @param result what it answers with
 * @param <Q> the request
 * @param <R> the result
 */
public record OperationType<Q extends Record, R extends Record>(
        String name, Kind kind, Route route, String summary, Class<Q> request, Class<R> result) {
    static <Q extends Record, R extends Record> OperationType<Q, R> of(
            String name,
            Kind kind,
            String route,
            String summary,
            Class<Q> request,
            Class<R> result) {
        return new OperationType<>(name, kind, Route.of(route), summary, request, result);
    }
}
