package io.zipcomm.membership;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FabricChoiceTest {

    /** Members as {@code host:provider,provider}, one for each rank. */
    private static List<Member> members(String... ranks) {
        List<Member> members = new ArrayList<>();
        for (String rank : ranks) {
            String host = rank.substring(0, rank.indexOf(':'));
            List<Candidate> candidates = Stream.of(
                            rank.substring(host.length() + 1).split(","))
                    .filter(provider -> !provider.isEmpty())
                    .map(provider -> new Candidate(Candidate.Kind.FABRIC, "rdma", provider + "/00ff", 0))
                    .toList();
            members.add(new Member(members.size(), host, candidates, List.of("rdma")));
        }
        return members;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    a:psm3,verbs;ofi_rxm | b:psm3,verbs;ofi_rxm | psm3
                    a:psm3,verbs;ofi_rxm | b:verbs;ofi_rxm      | verbs;ofi_rxm
                    a:psm3,verbs;ofi_rxm | b:verbs;ofi_rxm,psm3 | psm3
                    a:efa                | b:verbs;ofi_rxm      | ''
                    a:                   | b:verbs;ofi_rxm      | ''
                    a:shm,tcp;ofi_rxm    | a:shm,tcp;ofi_rxm    | shm
                    a:shm,tcp;ofi_rxm    | b:shm,tcp;ofi_rxm    | tcp;ofi_rxm
                    """)
    void shouldChooseForTwo(String first, String second, String expected) {
        FabricChoice choice = new FabricChoice(members(first, second));
        assertEquals(expected, choice.between(0, 1));
        assertEquals(expected, choice.between(1, 0));
    }

    /** Two that might use a better one use what all others use, too. */
    @Test
    void shouldPreferWhatAllHaveThatAreOnAny() {
        FabricChoice choice =
                new FabricChoice(members("a:", "b:psm3,verbs;ofi_rxm", "c:psm3,verbs;ofi_rxm", "d:verbs;ofi_rxm"));
        assertEquals("verbs;ofi_rxm", choice.between(1, 2));
        assertEquals("verbs;ofi_rxm", choice.between(2, 3));
        assertEquals("", choice.between(0, 1));
    }

    @Test
    void shouldChooseByPairsIfNotAllHaveOne() {
        FabricChoice choice = new FabricChoice(members("a:psm3", "b:verbs;ofi_rxm,psm3", "c:verbs;ofi_rxm"));
        assertEquals("psm3", choice.between(0, 1));
        assertEquals("verbs;ofi_rxm", choice.between(2, 1));
        assertEquals("", choice.between(0, 2));
    }
}
