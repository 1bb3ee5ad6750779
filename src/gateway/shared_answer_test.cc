// SPDX-License-Identifier: MIT
#include "gateway/shared_answer.h"

#include <gtest/gtest.h>

#include <thread>

namespace sluice {
namespace {

using Reader = SharedAnswer::Reader;
using Got = Reader::Got;

struct Shared : testing::Test {
  std::unique_ptr<net::Loop> loop = *net::Loop::make();
  net::Sleeper sleeper{*loop};
  std::shared_ptr<SharedAnswer> answer = std::make_shared<SharedAnswer>(nullptr);
  std::unique_ptr<Reader> join() { return Reader::join(answer, sleeper); }
  static std::string all(Reader& reader) {
    std::string out;
    EXPECT_TRUE(reader.take(out));
    return out;
  }
};

TEST_F(Shared, TellsEverybodyTheSame) {
  const auto early = join();
  answer->begin({.stream = true, .content_type = "a/b"});
  answer->append("one ");
  EXPECT_EQ(all(*early), "one ");
  std::string none;
  EXPECT_EQ(early->take(none), Got::wait);
  const auto late = join();
  answer->append("two");
  answer->end();
  EXPECT_EQ(all(*late), "one two");
  EXPECT_EQ(late->head().content_type, "a/b");
  std::string rest;
  EXPECT_EQ(early->take(rest), Got::end);
  EXPECT_EQ(rest, "two");
  EXPECT_EQ(late->take(none), Got::end);
  EXPECT_EQ(none, "");
}

TEST_F(Shared, TellsAFaultBehindWhatCameBefore) {
  const auto reader = join();
  answer->begin({});
  answer->append("half");
  answer->fail({.fault = Fault::upstream_broken});
  answer->append("too late");
  answer->end();
  EXPECT_EQ(all(*reader), "half");
  std::string none;
  EXPECT_EQ(reader->take(none).error()->fault, Fault::upstream_broken);
  EXPECT_EQ(join(), nullptr);
}

TEST_F(Shared, IsKeptForLatecomersUpToItsBound) {
  const auto early = join();
  answer->begin({});
  const std::string piece(SharedAnswer::most_kept / 4, 'x');
  for (int i = 0; i < 4; ++i) answer->append(piece);
  EXPECT_NE(join(), nullptr);
  answer->append("x");
  EXPECT_EQ(join(), nullptr);
  EXPECT_EQ(all(*early).size(), SharedAnswer::most_kept + 1);
  answer->append("y");
  EXPECT_EQ(all(*early), "y");
}

TEST_F(Shared, WaitsForTheSlowestUntilItIsDropped) {
  const auto quick = join();
  const auto slow = join();
  answer->called_by(&sleeper);
  answer->begin({});
  const std::string piece(SharedAnswer::most_kept, 'x');
  for (int i = 0; i < 2; ++i) answer->append(piece);
  EXPECT_FALSE(answer->crowded());
  answer->append(piece);
  EXPECT_EQ(answer->crowded(), 0U);
  EXPECT_EQ(all(*quick).size(), 3 * piece.size());
  EXPECT_EQ(answer->crowded(), 0U);
  EXPECT_EQ(all(*slow).size(), 3 * piece.size());
  EXPECT_FALSE(answer->crowded());
  for (int i = 0; i < 3; ++i) answer->append(piece);
  EXPECT_EQ(all(*quick).size(), 3 * piece.size());
  answer->drop_slow();
  EXPECT_FALSE(answer->crowded());
  std::string none;
  EXPECT_EQ(slow->take(none).error()->fault, Fault::overloaded);
  answer->append("more");
  EXPECT_EQ(all(*quick), "more");
}

TEST_F(Shared, AWholeAnswerMayBeLarge) {
  const auto reader = join();
  answer->begin({});
  answer->append(std::string(5 * SharedAnswer::most_behind, 'x'));
  answer->end();
  EXPECT_EQ(all(*reader).size(), 5 * SharedAnswer::most_behind);
}

TEST_F(Shared, GoesOnAsLongAsAnybodyReads) {
  auto one = join();
  auto two = join();
  answer->called_by(&sleeper);
  EXPECT_TRUE(answer->left());
  one.reset();
  loop->post([this] { loop->stop(); });
  loop->run();
  EXPECT_FALSE(sleeper.cancelled());
  two.reset();
  loop->post([this] { loop->stop(); });
  loop->run();
  EXPECT_TRUE(sleeper.cancelled());
  EXPECT_EQ(join(), nullptr) << "it is being cut";
}

TEST_F(Shared, EndsWithItsClientWhereNobodyElseReads) {
  EXPECT_FALSE(answer->left());
  EXPECT_EQ(join(), nullptr);
}

TEST_F(Shared, MayBeReadFromOtherThreads) {
  constexpr int readers = 4, pieces = 2000;
  answer->begin({});
  std::vector<std::string> heard(readers);
  std::vector<std::thread> threads;
  std::vector<std::unique_ptr<Reader>> seats;
  std::vector<std::unique_ptr<net::Loop>> loops;
  std::vector<std::unique_ptr<net::Sleeper>> sleepers;
  for (int i = 0; i < readers; ++i) {
    loops.push_back(*net::Loop::make());
    sleepers.push_back(std::make_unique<net::Sleeper>(*loops.back()));
    seats.push_back(Reader::join(answer, *sleepers.back()));
  }
  for (int i = 0; i < readers; ++i) {
    threads.emplace_back([&, i] {
      for (;;) {
        const auto got = seats[i]->take(heard[i]);
        if (!got || *got == Got::end) break;
        if (*got == Got::wait) std::this_thread::yield();
      }
      seats[i].reset();
    });
  }
  for (int i = 0; i < pieces; ++i) answer->append("piece ");
  answer->end();
  for (std::thread& thread : threads) thread.join();
  for (const std::string& one : heard) EXPECT_EQ(one.size(), pieces * 6U);
}

}  // namespace
}  // namespace sluice
