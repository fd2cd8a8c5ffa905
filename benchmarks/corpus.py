"""A corpus to measure searching with: posts of about 3 KB in Chinese and English, and queries with answers.

Among many posts of filler, each topic has a few relevant posts and hard negatives, which have some of the
same words. All of it depends on the seed alone.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from string import ascii_lowercase

from content.types import NewPost

NOW = datetime(2026, 11, 1, tzinfo=UTC)
RELEVANT = 6  # posts of each topic
NEGATIVES = 8
SENTENCES = 16_000  # of filler; each post takes some of them
LENGTH = 3_000  # bytes of a post's text, about
MISSPELT = 3  # queries with a typing error, for each topic in English


@dataclass(frozen=True, slots=True)
class Topic:
    """What some posts are about: sentences that answer the queries, and sentences that nearly do.

    `asked` are the queries by kind. `typed` is the query that misspelt ones are made of.
    """

    titles: tuple[str, ...]
    answers: tuple[str, ...]
    nearly: tuple[str, ...]
    asked: tuple[tuple[str, str], ...]
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, its kind, and the guids of the posts that answer it."""

    text: str
    kind: str
    relevant: frozenset[str]


TOPICS = (
    Topic(
        ("Sourdough notes", "A starter for every kitchen", "Bread, slowly"),
        (
            "Feed the sourdough starter with rye flour twice a day until it doubles.",
            "My rye sourdough begins with a lively starter and a night in the fridge.",
            "Sourdough starters grow faster on whole rye than on white flour.",
        ),
        (
            "The rye field behind the station was cut last week.",
            "A starter motor needs more current than the cable can carry.",
            "Sourdough pizza was sold out before noon.",
        ),
        (
            ("words", "sourdough starter rye"),
            ("question", "how do I feed a sourdough starter with rye?"),
            ("extra", "sourdough rye starter zeppelin"),
        ),
        "sourdough starter rye",
    ),
    Topic(
        ("Cast iron care", "Pans that last", "Kitchen tools"),
        (
            "Season a cast iron skillet with thin layers of oil, then bake it for an hour.",
            "Seasoning the cast iron skillet again removes the rust for years.",
            "A well seasoned skillet of cast iron needs no soap.",
        ),
        (
            "The season opens with a cast of new actors.",
            "An iron bridge crosses the river near the skillet factory.",
            "Cast your vote before the season ends.",
        ),
        (
            ("words", "cast iron skillet seasoning"),
            ("question", "what is the best way to season a cast iron skillet?"),
            ("extra", "season cast iron skillet umbrella"),
        ),
        "seasoning skillet",
    ),
    Topic(
        ("Short waves at night", "Antenna diary", "Listening notes"),
        (
            "A random wire antenna with a good ground receives the tropical bands.",
            "The wire antennas on the roof brought the tropical bands in last night.",
            "For tropical band reception a long wire antenna beats every loop.",
        ),
        (
            "Tropical storms damaged the harbour.",
            "The band played with a wire recorder on stage.",
            "An antenna for satellites needs no wire at all.",
        ),
        (
            ("words", "wire antenna tropical bands"),
            ("question", "which wire antenna is good for tropical bands?"),
            ("extra", "tropical band wire antenna marzipan"),
        ),
        "antenna tropical",
    ),
    Topic(
        ("PostgreSQL in small rooms", "Vacuum and you", "Database diary"),
        (
            "Autovacuum keeps PostgreSQL tables from bloating when thresholds are lowered.",
            "Table bloat in PostgreSQL came back until autovacuum ran more often.",
            "Tune autovacuum per table, and PostgreSQL bloat stays under ten percent.",
        ),
        (
            "A vacuum cleaner with a bloated price was tested.",
            "PostgreSQL replicas were rebuilt over the weekend.",
            "Autovacuum was mentioned only in a footnote.",
        ),
        (
            ("words", "postgresql autovacuum bloat"),
            ("question", "how does autovacuum prevent bloat in PostgreSQL?"),
            ("extra", "postgresql autovacuum bloat accordion"),
        ),
        "postgresql autovacuum",
    ),
    Topic(
        ("Mechanical keyboards", "Silent typing", "Desk report"),
        (
            "Lubricate the stabilizers of a mechanical keyboard before you blame the switches.",
            "Rattling stabilizers make mechanical keyboards loud; a little lubrication helps.",
            "Lubricated stabilizer wires changed the sound of my mechanical keyboard.",
        ),
        (
            "Mechanical watches were shown beside old keyboards for pianos.",
            "Exchange rates need stabilizers, economists say.",
            "The keyboard player lubricated his throat.",
        ),
        (
            ("words", "mechanical keyboard stabilizers lubrication"),
            ("question", "why are mechanical keyboard stabilizers lubricated?"),
            ("extra", "mechanical keyboard stabilizer marmalade"),
        ),
        "keyboard stabilizers",
    ),
    Topic(
        ("Quantization in practice", "Small models", "Inference diary"),
        (
            "Quantization to four bits keeps perplexity low if outliers stay in higher precision.",
            "We measured the perplexity of quantized models: outliers cost most of it.",
            "Quantize weights, not outliers, and perplexity hardly moves.",
        ),
        (
            "Quantization noise in audio converters is audible below minus ninety decibels.",
            "Outliers in the census were removed by hand.",
            "Perplexity was written on every face in the room.",
        ),
        (
            ("words", "quantization perplexity outliers"),
            ("question", "what does quantization do to perplexity and outliers?"),
            ("extra", "quantization outliers perplexity trombone"),
        ),
        "quantization perplexity",
    ),
    Topic(
        ("Night trains return", "Rails at midnight", "Travel notes"),
        (
            "The sleeper train from Vienna to Amsterdam has private compartments again.",
            "Compartments on the Vienna to Amsterdam sleeper are booked weeks ahead.",
            "Sleepers between Amsterdam and Vienna sell the last compartment at noon.",
        ),
        (
            "A sleeper agent was arrested in Vienna.",
            "Amsterdam counts its bicycles.",
            "The glove compartment was empty when the train arrived.",
        ),
        (
            ("words", "sleeper vienna amsterdam compartment"),
            ("question", "is there a sleeper from Vienna to Amsterdam with compartments?"),
            ("extra", "sleeper vienna amsterdam compartment octopus"),
        ),
        "sleeper amsterdam",
    ),
    Topic(
        ("Bees in the city", "Rooftop diary", "Honey and more"),
        (
            "Varroa mites weaken a beehive in autumn; treat it with oxalic acid in winter.",
            "Oxalic acid against varroa works only when the beehives have no brood.",
            "We counted the varroa under each beehive after oxalic treatment.",
        ),
        (
            "The beehive hairstyle is back.",
            "Acid rain was a subject of the eighties.",
            "Mites live in every carpet.",
        ),
        (
            ("words", "varroa beehive oxalic"),
            ("question", "when should I treat a beehive against varroa with oxalic acid?"),
            ("extra", "varroa oxalic beehive turpentine"),
        ),
        "beehive varroa",
    ),
    Topic(
        ("Release of DeepSeek-V3", "Models of the month", "DeepSeekV3 on small cards"),
        (
            "DeepSeek-V3 balances its experts without an auxiliary loss.",
            "The experts of DeepSeekV3 are balanced while it trains, with no auxiliary loss.",
            "An auxiliary loss would hurt DeepSeek V3, whose experts balance themselves.",
        ),
        (
            "Experts disagree about the auxiliary engine of the ferry.",
            "DeepSeek has an office in Hangzhou.",
            "Version V3 of the protocol is obsolete.",
        ),
        (
            ("version", "DeepSeek-V3 experts"),
            ("version", "deepseekv3 auxiliary loss"),
            ("version", "deepseek v3 balance"),
        ),
    ),
    Topic(
        ("家常红烧肉", "厨房笔记", "周末做什么菜"),
        (
            "红烧肉要选肥瘦相间的五花肉，先炒糖色再小火慢炖。",
            "炖红烧肉时，五花肉切成大块，糖色炒到枣红就好。",
            "五花肉焯水以后炒糖色，红烧肉才不会发苦。",
        ),
        (
            "红烧鱼的做法和家里不同，烧肉店昨天关门了。",
            "糖色深浅看锅里的泡沫，五花八门的说法都有。",
            "他把红薯烧成了炭，肉也没有买。",
        ),
        (
            ("question", "怎么做红烧肉"),
            ("question", "请问红烧肉怎么做？"),
            ("words", "红烧肉 五花肉"),
            ("run", "红烧肉五花肉炒糖色"),
            ("traditional", "紅燒肉 糖色"),
        ),
    ),
    Topic(
        ("大模型微调实践", "显存不够怎么办", "训练笔记"),
        (
            "用 LoRA 微调大语言模型，单卡显存二十四吉就够。",
            "大语言模型做 LoRA 微调时，梯度检查点可以省下一半显存。",
            "显存紧张，就把大语言模型量化以后再用 LoRA 微调。",
        ),
        (
            "LoRa 是一种远距离无线电协议，与语言无关。",
            "显存价格上涨，语言学系换了新模型教具。",
            "我们对课程安排做了细微调整，大家意见不一。",
        ),
        (
            ("question", "如何用LoRA微调大语言模型"),
            ("words", "LoRA 微调 显存"),
            ("run", "大语言模型微调显存"),
            ("traditional", "微調 大語言模型"),
        ),
    ),
    Topic(
        ("短波收听记录", "夜里的电台", "天线与电波"),
        (
            "夜间短波电台的信号靠电离层反射，长线天线最合适。",
            "电离层扰动时，短波电台忽强忽弱，天线再好也没用。",
            "架好天线，等电离层稳定，远方的短波电台就清楚了。",
        ),
        (
            "电台主持人昨天换了班，短期波动不影响节目。",
            "离层叠的山峰很近，电力设施在检修。",
            "天空中拉着几条线，电视台在直播。",
        ),
        (
            ("question", "短波电台的信号为什么靠电离层？"),
            ("words", "短波 电离层 天线"),
            ("run", "短波电台电离层天线"),
            ("traditional", "短波電台 電離層"),
        ),
    ),
    Topic(
        ("杭州三日行程", "江南散记", "一个人旅行"),
        (
            "清晨去灵隐寺，避开人群，再到龙井村喝明前茶。",
            "龙井村在灵隐寺西南，步行一小时，明前茶要四月初才有。",
            "喝过明前茶，从龙井村坐车到灵隐寺只要十五分钟。",
        ),
        (
            "他的灵感隐约来自一座寺院。",
            "村里的水井结冰了，龙年的灯笼还挂着。",
            "明天前往茶馆开会，路程很远。",
        ),
        (
            ("question", "请问灵隐寺和龙井村怎么走"),
            ("words", "灵隐寺 龙井村"),
            ("run", "灵隐寺龙井村明前茶"),
            ("traditional", "靈隱寺 龍井村"),
        ),
    ),
    Topic(
        ("孩子发烧时", "家庭药箱", "儿科门诊手记"),
        (
            "儿童发烧超过三十八度五可以用布洛芬，两次间隔六小时。",
            "布洛芬给儿童退烧要按体重算剂量，发烧不严重先观察。",
            "观察精神状态比盯着体温计重要，儿童发烧吃布洛芬别过量。",
        ),
        (
            "儿童节的门票很快售罄，发言的人烧了一壶水。",
            "布料洛阳产，芬芳扑鼻。",
            "发烧友们讨论耳机，儿子在旁边玩。",
        ),
        (
            ("question", "儿童发烧可以吃布洛芬吗"),
            ("question", "什么是布洛芬"),
            ("words", "儿童 发烧 布洛芬"),
            ("run", "儿童发烧布洛芬剂量"),
            ("traditional", "兒童發燒 布洛芬"),
        ),
    ),
    Topic(
        ("阳台种番茄", "园艺日历", "四月播种"),
        (
            "番茄育苗🍅要在室内进行，夜温不低于十二度，定植后搭架。",
            "定植的番茄🍅要深埋，育苗时徒长的也能补救。",
            "阳台番茄🍅从育苗到定植大约五十天。",
        ),
        (
            "番石榴和茄子一起上市，育儿书也在打折。",
            "苗族服饰展在定海举行，植物园免费。",
            "他画了一个🍎放在阳台上。",
        ),
        (
            ("emoji", "🍅"),
            ("question", "番茄育苗怎么做"),
            ("words", "番茄 育苗 定植"),
            ("run", "番茄育苗定植"),
        ),
    ),
    Topic(
        ("火箭回收成功", "发射场日记", "太空快讯"),
        (
            "可回收火箭第一级垂直着陆，发动机三次点火👩🏽‍🚀。",
            "火箭回收靠栅格舵控制姿态，着陆前发动机再次点火👩‍🚀。",
            "发动机点火推迟，火箭回收试验改到周五，着陆区已清空👩‍🚀。",
        ),
        (
            "废品回收站着火，箭头指示的出口被堵。",
            "发电机需要点检，火车晚点👩。",
            "着装要求写在陆军网站上🚀。",
        ),
        (
            ("emoji", "👩‍🚀"),
            ("question", "火箭回收时发动机为什么再次点火"),
            ("words", "火箭 回收 着陆"),
            ("run", "火箭回收发动机点火"),
            ("traditional", "火箭回收 發動機"),
        ),
    ),
    Topic(
        ("Garden robots ❤️", "Mowing at night", "Robots and hedgehogs"),
        (
            "Robotic lawnmowers injure hedgehogs ❤️ after dusk, so run them by day.",
            "A hedgehog ❤️ does not flee from a robotic lawnmower, and dusk is its morning.",
            "Stop your robotic lawnmower before dusk, for the hedgehogs ❤️.",
        ),
        (
            "Robotic arms weld doors until dusk.",
            "The lawnmower man sells hedge trimmers.",
            "Hedgehog plush toys were recalled 💔.",
        ),
        (
            ("emoji", "❤"),
            ("words", "robotic lawnmower hedgehogs"),
            ("question", "how can I protect hedgehogs from a robotic lawnmower?"),
            ("extra", "robotic lawnmower hedgehog saxophone"),
        ),
        "lawnmower hedgehogs",
    ),
)

_COMMON = (
    "the of and to a in is it that for on with as was at by be this had not are but from or have an they "
    "which one you were all her she there would their we him been has when who will no more if out so up "
    "said what its about than into them can only other time new some could these two may first then do any "
    "like my now over such our man me even most made after also did many off before must well back through "
    "years much where your way down should because long each just state people too little good world make "
    "very year still see own work men day get here old life both between being under three never know same "
    "last another while us might great go come since against right came take used himself few house use "
    "place during high without again home around small however found part small river village market light "
    "paper winter summer morning evening station window letter garden water road city field teacher report "
    "question answer number system program signal message network language memory engine science history"
)
_ZH = (
    "我们 你们 他们 今天 昨天 明天 这个 那个 什么 时候 已经 可以 没有 因为 所以 但是 "
    "如果 还是 一个 自己 现在 知道 觉得 开始 出来 起来 问题 工作 生活 城市 学校 孩子 "
    "朋友 老师 公司 经济 社会 发展 国家 世界 历史 文化 科学 技术 研究 系统 数据 网络 "
    "语言 文章 消息 新闻 报道 记者 政府 市场 价格 产品 用户 服务 软件 硬件 程序 代码 "
    "测试 设计 管理 计划 方法 结果 原因 情况 时间 地方 天气 春天 夏天 秋天 冬天 早上 "
    "晚上 周末 电影 音乐 图书 小说 故事 作者 读者 旅行 火车 飞机 汽车 道路 河流 山峰 "
    "大海 森林 花园 房子 窗户 桌子 椅子 衣服 食物 水果 蔬菜 米饭 面条 牛奶 咖啡 健康 "
    "医院 医生 药品 运动 比赛 足球 篮球 游戏 手机 电脑 相机 照片 颜色 声音 味道 感觉 "
    "想法 意见 建议 决定 选择 机会 困难 希望 努力 成功 失败 经验 能力 水平 质量 数量 "
    "重要 简单 复杂 美丽 安静 热闹 干净 清楚 明白 容易 便宜 新鲜 特别 非常 一起 大家 "
    "最后 首先 然后 终于 突然 慢慢 常常 也许 "
)
_ZH_SMALL = "的 了 在 是 和 也 都 就 要 会 到 说 把 被 让 给 从 向 对 与 而 又 很 更 不 一 上 下 里 着"
_SYLLABLES = "ba co di fu ga he ki lo mu na po ra se ti vo wa xi yo zu ster lan mor ven tal rin dos"


def posts(count: int, seed: int, length: int = LENGTH) -> Iterator[NewPost]:
    """That many posts of about `length` bytes, in the order of their dates.

    The planted ones are spread among the others.
    """
    rng = random.Random(seed)
    sentences = filler(rng)
    planted = list(_planted(rng, sentences, length))
    places = set(rng.sample(range(count), len(planted)))
    rng.shuffle(planted)
    for number in range(count):
        when = NOW - timedelta(days=700) * (1 - number / count)
        if number in places:
            guid, title, text = planted.pop()
        else:
            guid, title, text = f"filler-{number}", _title(rng, sentences), _text(rng, sentences, length)
        yield _post(guid, title, text, when)


def queries(seed: int) -> list[Asked]:
    """All queries, with the typing errors that belong to a seed. One in four has one."""
    rng = random.Random(seed + 1_000)
    asked = []
    for number, topic in enumerate(TOPICS):
        relevant = frozenset(f"topic-{number}-{n}" for n in range(RELEVANT))
        asked += [Asked(text, kind, relevant) for kind, text in topic.asked]
        if topic.typed:
            asked += [Asked(_misspelt(topic.typed, rng), "misspelt", relevant) for _ in range(MISSPELT)]
    return asked


def _misspelt(text: str, rng: random.Random) -> str:
    """The text with an error in one of its words of seven letters or more; in ten or more, perhaps two."""
    words = text.split()
    at = rng.choice([n for n, word in enumerate(words) if len(word) >= 7])
    for _ in range(1 + (len(words[at]) >= 10 and rng.random() < 0.3)):
        words[at] = _slip(words[at], rng)
    return " ".join(words)


def _slip(word: str, rng: random.Random) -> str:
    """One letter is missing, doubled, wrong, or has changed places; one in twenty times the first letter."""
    at = 0 if rng.random() < 0.05 else rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    if kind == 2:
        return word[:at] + rng.choice(ascii_lowercase.replace(word[at], "")) + word[at + 1 :]
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return swapped if swapped != word else word[:at] + word[at + 1 :]


def _planted(rng: random.Random, filler: Sequence[str], length: int) -> Iterator[tuple[str, str, str]]:
    for number, topic in enumerate(TOPICS):
        for n in range(RELEVANT):
            # Half of the titles say what the post is about.
            title = topic.titles[n % len(topic.titles)] if n % 2 else _title(rng, filler)
            answer = topic.answers[n % len(topic.answers)]
            yield f"topic-{number}-{n}", title, _text(rng, filler, length, answer)
        for n in range(NEGATIVES):
            near = [topic.nearly[(n + more) % len(topic.nearly)] for more in range(1 + n % 2)]
            yield f"near-{number}-{n}", _title(rng, filler), _text(rng, filler, length, *near)


def _text(rng: random.Random, filler: Sequence[str], length: int, *planted: str) -> str:
    sentences = list(planted)
    size = sum(len(sentence.encode()) for sentence in planted)
    wanted = length * rng.uniform(0.5, 1.5)
    while size < wanted:
        sentences.append(rng.choice(filler))
        size += len(sentences[-1].encode())
    rng.shuffle(sentences)
    return " ".join(sentences)


def _title(rng: random.Random, filler: Sequence[str]) -> str:
    return rng.choice(filler)[:40].rstrip("，。. ")


def filler(rng: random.Random) -> list[str]:
    """Sentences, half of them in Chinese, whose words are as rare or common as those of real texts."""
    english, chinese = _COMMON.split(), _ZH.split()
    small, syllables = _ZH_SMALL.split(), _SYLLABLES.split()
    rare = ["".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(40_000)]
    characters = sorted(set("".join(chinese)))
    names = ["".join(rng.choices(characters, k=2)) for _ in range(20_000)]
    falling = list(accumulate(1 / (n + 3) for n in range(len(rare))))
    falling_names = list(accumulate(1 / (n + 3) for n in range(len(names))))

    def in_english() -> str:
        words = rng.choices(english, k=rng.randint(6, 14)) + rng.choices(rare, cum_weights=falling, k=4)
        rng.shuffle(words)
        return " ".join(words).capitalize() + "."

    def in_chinese() -> str:
        words = rng.choices(chinese, k=rng.randint(6, 14)) + rng.choices(small, k=5)
        words += rng.choices(names, cum_weights=falling_names, k=3)
        rng.shuffle(words)
        return "".join(words[:9]) + "，" + "".join(words[9:]) + "。"

    return [in_english() if rng.random() < 0.5 else in_chinese() for _ in range(SENTENCES)]


def _post(guid: str, title: str, text: str, when: datetime) -> NewPost:
    return NewPost(
        guid=guid,
        key=f"key of {guid}",
        url=f"https://example.org/{guid}",
        title=title,
        author="",
        published_at=when,
        updated_at=None,
        html=f"<p>{text}</p>",
        text=text,
        language="",
        tags=(),
        media=(),
        content_hash=guid,
    )
