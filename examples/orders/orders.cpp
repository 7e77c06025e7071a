// An order book. One thread ("feed") applies price updates, another ("matcher") walks the book and values it.
//
// It crashes in the matcher, which is innocent. The demo (npm run demo) finds the culprit with a checkpoint.

#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <pthread.h>
#include <thread>

constexpr int kLevels = 16;
constexpr int kRecent = 7;
constexpr int kRounds = 1000;

struct Level {
  int price;
  int quantity;
  int cursor;           // where the next quantity is noted in `recent`
  int recent[kRecent];  // the last quantities, a ring
  Level *next;          // the next best price
};

struct Book {
  Level levels[kLevels];
  Level *best;
  std::mutex mutex;
  std::condition_variable changed;
  int round = 0;   // rounds of updates applied
  int valued = 0;  // rounds valued by the matcher
};

Book book;

void build_book() {
  for (int i = 0; i < kLevels; i++) {
    Level &level = book.levels[i];
    level.price = 1000 - i;
    level.quantity = 0;
    level.cursor = 0;
    level.next = i + 1 < kLevels ? &book.levels[i + 1] : nullptr;
  }
  book.best = &book.levels[0];
}

void note_quantity(Level &level, int quantity) {
  level.quantity = quantity;
  level.recent[level.cursor++] = quantity;
  if (level.cursor > kRecent)
    level.cursor = 0;
}

long value_of_book() {
  long total = 0;
  for (const Level *level = book.best; level != nullptr; level = level->next)
    total += static_cast<long>(level->price) * level->quantity;
  return total;
}

void feed() {
  pthread_setname_np(pthread_self(), "feed");
  for (int round = 1; round <= kRounds; round++) {
    std::unique_lock<std::mutex> lock(book.mutex);
    for (int i = 0; i < kLevels; i++)
      note_quantity(book.levels[i], 100 * round + i);
    book.round = round;
    book.changed.notify_all();
    book.changed.wait(lock, [round] { return book.valued == round; });
  }
}

void matcher() {
  pthread_setname_np(pthread_self(), "matcher");
  for (int round = 1; round <= kRounds; round++) {
    std::unique_lock<std::mutex> lock(book.mutex);
    book.changed.wait(lock, [round] { return book.round == round; });
    std::printf("round %d: %ld\n", round, value_of_book());
    book.valued = round;
    book.changed.notify_all();
  }
}

void market_open() {
  std::lock_guard<std::mutex> lock(book.mutex);
  std::printf("market open, %d levels\n", kLevels);
}

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  build_book();
  market_open();
  std::thread feeding(feed);
  std::thread matching(matcher);
  feeding.join();
  matching.join();
  return 0;
}
