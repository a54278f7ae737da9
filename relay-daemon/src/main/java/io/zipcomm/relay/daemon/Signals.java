package io.zipcomm.relay.daemon;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the system tells a process. Shutdown hooks hear of one signal only, once, and of no SIGHUP; so this uses the JDK's
 * module {@code jdk.unsupported}, by reflection, since the compiler warns of it whatever one says.
 */
final class Signals {

    private static final Logger log = LoggerFactory.getLogger(Signals.class);

    private Signals() {}

    /**
     * Has something done whenever a signal comes, on a thread of its own.
     *
     * @param name without SIG; where the system has no such signal, the JVM keeps it to itself, or who started the process has
     *     it ignored (nohup does that to HUP, a shell to INT of what runs in the background), nothing is done, and the log
     *     says so
     */
    static void on(String name, Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object told = Proxy.newProxyInstance(
                    Signals.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, args) -> {
                        if (method.getDeclaringClass() == Object.class) {
                            return method.invoke(action, args);
                        }
                        action.run();
                        return null;
                    });
            Object before = signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), told);
            if (before.equals(handler.getField("SIG_IGN").get(null))) {
                log.info("SIG{} is not heard: this process was started so that it is ignored", name);
            }
        } catch (InvocationTargetException e) {
            log.info("SIG{} is not heard: {}", name, e.getCause().getMessage());
        } catch (ReflectiveOperationException e) {
            log.info("SIG{} is not heard: {}", name, e.toString());
        }
    }
}
