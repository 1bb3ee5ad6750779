// SPDX-License-Identifier: MIT
#include "config/budget_settings.h"

#include <gmock/gmock.h>

#include "config/load_test.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BudgetSettings : public GroupLoad {
 protected:
  std::string budget(std::string_view words) { return told(group("budgets: [{" + std::string(words) + "}]")); }
};

TEST_F(BudgetSettings, AreReadAndWrittenBack) {
  const Loaded loaded = group(
      "budgets: [{per: day, dollars: 0.000000001, time_zone: Europe/Berlin, hard_stop: true, alert_at: [100%, 80]}, "
      "{per: week, dollars: 7, time_zone: UTC}, {per: month, dollars: '12.50'}, {per: total, dollars: 1000000000}], "
      "unknown_price: refuse");
  EXPECT_THAT(loaded.faults, IsEmpty()) << told(loaded);
  const Allowance& may = loaded.config.groups.at(0).allowance;
  EXPECT_THAT(may.budgets, ElementsAre(Budget{.per = Budget::Per::day,
                                              .nano_dollars = 1,
                                              .hard_stop = true,
                                              .time_zone = "Europe/Berlin",
                                              .alerts = {80, 100}},
                                       Budget{.per = Budget::Per::week, .nano_dollars = 7'000'000'000},
                                       Budget{.per = Budget::Per::month, .nano_dollars = 12'500'000'000},
                                       Budget{.per = Budget::Per::total, .nano_dollars = 1'000'000'000'000'000'000}));
  EXPECT_EQ(may.unknown_price, UnknownPrice::refuse);
  std::string text;
  json::Writer out(text);
  out.begin_object();
  config::write_budgets(out, may);
  out.end_object();
  EXPECT_EQ(text,
            R"({"unknown_price":"refuse","budgets":[{"per":"day","dollars":0.000000001,"time_zone":"Europe/Berlin",)"
            R"("hard_stop":true,"alert_at":["80%","100%"]},{"per":"week","dollars":7},{"per":"month","dollars":12.5},)"
            R"({"per":"total","dollars":1000000000}]})");
}

TEST_F(BudgetSettings, AmountsAreExact) {
  EXPECT_EQ(config::read_dollars("0"), 0);
  EXPECT_EQ(config::read_dollars("12.5"), 12'500'000'000);
  EXPECT_EQ(config::read_dollars("0.1"), 100'000'000);
  EXPECT_EQ(config::read_dollars("007.000000009"), 7'000'000'009);
  for (const std::string_view wrong :
       {"", ".", ".5", "5.", "-1", "+1", "1e3", "1_000", "$1", "1,5", "0.0000000001", "1000000000.1", "nan", " 1"})
    EXPECT_EQ(config::read_dollars(wrong), std::nullopt) << wrong;
}

TEST_F(BudgetSettings, SayWhatIsWrongAndWhere) {
  EXPECT_THAT(budget("per: mounth, dollars: 1"), HasSubstr("did you mean \"month\"?"));
  EXPECT_THAT(budget("dollars: 1"), HasSubstr("needs \"per\""));
  EXPECT_THAT(budget("per: day"), HasSubstr("needs \"dollars\""));
  EXPECT_THAT(budget("per: day, dollar: 1"), HasSubstr("did you mean \"dollars\"?"));
  EXPECT_THAT(budget("per: day, dollars: $12.50"), HasSubstr("did you mean 12.50?"));
  EXPECT_THAT(budget("per: day, dollars: '12,50'"), HasSubstr("did you mean 12.50?"));
  EXPECT_THAT(budget("per: day, dollars: '1,250.00'"), HasSubstr("did you mean 1250.00?"));
  EXPECT_THAT(budget("per: day, dollars: 1e3"), HasSubstr("up to nine decimals"));
  EXPECT_THAT(budget("per: day, dollars: -1"), HasSubstr("an amount such as 12.50"));
  EXPECT_THAT(budget("per: day, dollars: 1, time_zone: Mars/Olympus"), HasSubstr("no time zone: \"Mars/Olympus\""));
  EXPECT_THAT(budget("per: day, dollars: 1, hard_stop: perhaps"), HasSubstr("must be true or false"));
  EXPECT_THAT(budget("per: day, dollars: 1, alert_at: [0%]"), HasSubstr("from 1% to 100%"));
  EXPECT_THAT(budget("per: day, dollars: 1, alert_at: [80%, 80]"), HasSubstr("80% twice"));
  EXPECT_THAT(budget("per: day, dollars: 1, alert_at: 80%"), HasSubstr("for example [80%, 100%]"));
  EXPECT_THAT(budget("per: day, dollars: 1}, {per: day, dollars: 2"), HasSubstr("two budgets per day"));
  EXPECT_THAT(told(group("budgets: {per: day}")), HasSubstr("must be a list"));
  EXPECT_THAT(told(group("budgets: [day]")), HasSubstr("must be a map"));
  EXPECT_THAT(told(group("budgts: []")), HasSubstr("did you mean \"budgets\"?"));
  EXPECT_THAT(told(group("unknown_price: deny")), HasSubstr("allow refuse"));
}

}  // namespace
}  // namespace sluice
