package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.transport.rdma.ffi.Native;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ProvidersTest {

    private static ZipSettings settings(TransportChoice choice, String provider) {
        return ZipSettings.builder()
                .session("s")
                .size(2)
                .transport(choice)
                .set(Setting.RDMA_PROVIDER, provider)
                .build();
    }

    @ParameterizedTest
    @CsvSource({"RDMA, auto, true", "RDMA, shm, true", "AUTO, shm, true", "TCP, shm, false", "RELAY, shm, false"})
    void shouldBeUsedIfAskedFor(TransportChoice choice, String provider, boolean expected) {
        assertEquals(expected, Providers.isWanted(settings(choice, provider)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"shm", "verbs;ofi_rxm", "efa", "psm3"})
    void shouldKnowWhichReadWithoutThePeer(String provider) {
        assertTrue(Providers.isOneSided(provider));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp;ofi_rxm", "net", "sockets", "udp;ofi_rxd"})
    void shouldKnowWhichReadByThePeersDoing(String provider) {
        assertFalse(Providers.isOneSided(provider));
    }

    @Test
    void shouldTakeWhatIsNamed() {
        assertEquals(List.of("shm"), Providers.choose(Native.library(), settings(TransportChoice.RDMA, "shm")));
    }

    @Test
    void shouldTakeThoseOfSeveralThatAreHere() {
        Fabric library = Native.library();
        assertEquals(
                List.of("tcp;ofi_rxm", "shm"),
                Providers.choose(library, settings(TransportChoice.AUTO, "foo, tcp;ofi_rxm,shm,shm")));
        // So that what is missing can be told.
        assertEquals(List.of("foo", "bar"), Providers.choose(library, settings(TransportChoice.RDMA, "foo,bar")));
        assertEquals(List.of(","), Providers.choose(library, settings(TransportChoice.RDMA, ",")));
    }

    /** What there is only in software must be asked for. */
    @Test
    void shouldTakeSoftwareOnlyIfNothingElseWillDo() {
        List<String> alone = Providers.choose(Native.library(), settings(TransportChoice.RDMA, "auto"));
        List<String> beside = Providers.choose(Native.library(), settings(TransportChoice.AUTO, "AUTO"));
        assertFalse(alone.isEmpty());
        // A peer that dies there may keep this process in libfabric for ever.
        assertFalse(alone.contains(Providers.SHARED_MEMORY));
        assertFalse(beside.contains(Providers.SOFTWARE));
        assertEquals(Providers.best(Providers.choices(Native.library()), Device.all()), beside);
    }

    @Test
    void shouldTakeTheBestHardware() {
        List<Providers.Choice> choices = Providers.parse(
                "shm\tshm\tshm\t\nverbs;ofi_rxm\ta\tmlx5_0\t\nefa\tefa\tefa_0-rdm\t\ntcp;ofi_rxm\tb\teth0\t\n");
        assertEquals(List.of("efa", "verbs;ofi_rxm"), Providers.best(choices, List.of()));
        assertEquals(
                List.of("verbs;ofi_rxm"), Providers.best(choices, List.of(new Device("efa_0", true, true, List.of()))));
        assertEquals(List.of(), Providers.best(choices.subList(0, 1), List.of()));
        List<Providers.Choice> many = Providers.parse("psm2\ta\tb\t\npsm3\ta\tb\t\ncxi\ta\tb\t\n");
        assertEquals(List.of("cxi", "psm3"), Providers.best(many, List.of()));
    }

    @Test
    void shouldSayThatAProviderIsNotThere() {
        Native.library();
        RdmaProvider provider = new RdmaProvider();
        String failure =
                provider.failureWhenTried(settings(TransportChoice.RDMA, "foo")).orElseThrow();
        assertTrue(failure.startsWith("ZIP_RDMA_PROVIDER: libfabric has no provider foo here, but "), failure);
        assertTrue(failure.contains(Native.TCP) && failure.contains(Native.SHM), failure);
        for (String name : List.of("auto", "shm", "tcp;ofi_rxm", "tcp", "ofi_rxm;TCP", "foo,shm")) {
            assertEquals(Optional.empty(), provider.failureWhenTried(settings(TransportChoice.RDMA, name)), name);
        }
    }

    /** A machine without hardware is not asked a second question. */
    @Test
    void shouldBeWantedOfItselfOnlyWithHardware() {
        assertEquals(
                Device.all().stream().anyMatch(Device::isUsable),
                Providers.isWanted(settings(TransportChoice.AUTO, "auto")));
    }
}
