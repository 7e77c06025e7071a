import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** A pool of six threads; prints a checksum that depends on every item once. */
public class Pool {
    static long compute(int item) throws Exception {
        MessageDigest sha = MessageDigest.getInstance("SHA-256");
        byte[] digest = sha.digest(Integer.toString(item).getBytes());
        for (int i = 0; i < 60; i++) digest = sha.digest(digest.clone());
        long value = 0;
        for (int i = 7; i >= 0; i--) value = value << 8 | digest[i] & 0xff;
        return value;
    }

    public static void main(String[] args) throws Exception {
        int items = Integer.parseInt(args[0]);
        ExecutorService pool = Executors.newFixedThreadPool(6);
        List<Future<Long>> futures = new ArrayList<>();
        for (int item = 0; item < items; item++) {
            int mine = item;
            futures.add(pool.submit(() -> compute(mine) * (mine + 1)));
        }
        long total = 0;
        for (Future<Long> future : futures) total += future.get();
        pool.shutdown();
        System.out.printf("items %d checksum %016x%n", futures.size(), total);
    }
}
