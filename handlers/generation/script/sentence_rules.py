"""What ends no sentence, by language: abbreviations and ordinals that sentencex doesn't know. Data.

Words stand without their last stop, in lower case.
"""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

_Words = frozenset[str]


def _words(text: str) -> _Words:
    return frozenset(text.split())


@frozen(kw_only=True)
class SentenceRules:
    """The rules of one language.

    `never` ends no sentence: something belongs behind it. `seldom` ends one only before a word of `starters`, which
    are seldom written large within a sentence. A number or a Roman numeral behind a word of `before_ordinals` is an
    ordinal, unless one of the `starters` follows. A sentence goes on behind a closing mark with one of `goes_on`.
    `marks` end sentences, as those that Unicode names do.
    """

    never: _Words = field(default="", converter=_words)
    seldom: _Words = field(default="", converter=_words)
    starters: _Words = field(default="", converter=_words)
    before_ordinals: _Words = field(default="", converter=_words)
    #: Any number of one or two digits with a stop is an ordinal, any Roman numeral of two letters or more too.
    ordinals: bool = False
    goes_on: tuple[str, ...] = ()
    marks: str = ""


_NO_RULES: Final = SentenceRules()
_RULES: Final = {
    "en": SentenceRules(
        never="dr mr mrs ms prof rev hon st mt gen col capt lt sgt sen rep gov fig figs eq eqs sec vol no nos pp ch "
        "ed eds approx ca cf vs e.g i.e viz jan feb mar apr jun jul aug sept sep oct nov dec",
        seldom="a.m p.m inc ltd co corp al etc jr sr ph.d u.s u.k u.n d.c b.c a.d dept est ave blvd rd",
        starters="a after all also although an and another any are as at because before both but by can did do does "
        "each every everyone few finally first for from has have he her here hers his how however i if in is it its "
        "last later many maybe meanwhile more most my never next nobody nothing now of often on once one only or other "
        "our people perhaps she since so some sometimes soon still such that the their them then there these they this "
        "those though three through thus to today together tomorrow two under until was we were what when where which "
        "while who why will with without yes yesterday yet you your",
    ),
    "de": SentenceRules(
        never="dr prof hr fr frl st nr abb tab kap bd hrsg vgl ca evtl inkl exkl zzgl geb inh tel max min sog bzw ggf "
        "z.b d.h u.a b i.d.r mio mrd tsd str art abs aufl jan feb apr jun jul aug sept okt nov dez dipl ing mag phil",
        seldom="usw etc o.ä ä u.ä std jh v.chr n.chr gmbh co inc",
        starters="aber alle alles als also am an anders auch auf aus bald bei beide bis da dabei dafür daher damals "
        "damit danach dann daran darauf darum das dass dazu denn dennoch der des deshalb die dies diese dieser dieses "
        "doch dort drei du durch ein eine einen einer eines er erst es euch für gegen gestern hat heute hier ich ihr "
        "ihre im immer in inzwischen ist ja jede jeder jedes jetzt kein keine können man manche mehr mein mit morgen "
        "nach nein nicht nichts noch nun nur ob oder oft ohne schon sehr seine seit sein sie sind so sogar soll "
        "sondern später trotzdem über um und uns unser unter viele vom von vor während war waren warum was weil weiter "
        "welche wenn wer wie wir wird wo zu zudem zuerst zuletzt zum zur zwei zwischen",
        before_ordinals="der die das des dem den am im zum zur vom beim ab bis seit ein eine einem einen einer eines "
        "jeder jede jedes jedem jeden sein seine ihr ihre unser unsere mein meine und oder",
    ),
    "fr": SentenceRules(
        never="m mm mme mmes mlle mlles me dr pr st ste sts art fig vol chap n p pp éd av apr tél env cf p.ex c.-à-d "
        "j.-c",
        seldom="etc s.a",
        starters="a à après au aucun aussi autre aux avec avant bien c ce cela celle celui ces cet cette chaque comme "
        "d dans de depuis des deux donc du elle elles en enfin ensuite est et été eux il ils j je jamais l la là le "
        "les leur lors lorsque lui mais ma mon moins n ne ni nos notre nous on or où ou par parce parfois pendant "
        "personne peu plus plusieurs pour pourquoi pourtant puis puisque qu quand que quel quelle qui quoi rien s sa "
        "sans se selon ses si sinon son sous sur ta te tous tout toute toutes trois trop tu un une vers voici voilà "
        "vos votre vous y",
    ),
    "es": SentenceRules(
        never="sr sra srta sres dr dra d dña ud uds st sto sta art fig pág págs núm n vol cap av avda gral aprox p.ej "
        "lic ing arq prof tel",
        seldom="etc ee uu a.c d.c s.a",
        starters="a además ahora al algunos allí ante antes aquí así aún aunque ayer bajo cada como con cuando de "
        "del desde después donde dos durante el él ella ellas ellos en entonces entre era es esa ese eso esta está "
        "este esto fue ha hace hacia hasta hay hoy la las le les lo los luego más me mi mientras muchos muy nadie ni "
        "no nos nosotros nuestra nuestro nunca o otra otro para pero por porque primero pues que quien se según ser "
        "si sí siempre sin sobre solo sólo son su sus también tan tanto te todo todos tras tres tu un una uno unos "
        "usted y ya yo",
    ),
    "it": SentenceRules(
        never="sig sigg dott prof ing avv on art fig pag pagg vol cap n tel s st p.es es gent",
        seldom="ecc a.c d.c s.p.a",
        starters="a ad adesso al alla altri anche ancora c che chi ci ciò come con così cosa da dal dalla dei del "
        "della di dopo dove due durante e è ed era essa esso fa fino ha ho i il in infatti infine io l la le lei lo "
        "loro lui ma mai mentre mi molti nei nel nella nessuno niente no noi non o oggi ogni ora per perché però più "
        "poi prima qualche quando quasi quel quella quello questa queste questi questo qui se senza si sì sono sotto "
        "su sua subito suo tra tre tu tutti tutto un una uno vi voi",
    ),
    "pt": SentenceRules(
        never="sr sra srta dr dra prof profa d st sto sta art fig pág págs núm n vol cap av gral aprox p.ex eng tel",
        seldom="etc a.c d.c s.a ltda",
        starters="a agora ainda algo alguns ali além antes ao aos aqui as assim até cada com como da das de depois do "
        "dois dos durante e é ela elas ele eles em então enquanto entre era essa esse esta está este eu foi há hoje "
        "isso já lá mais mas me meu muito na nada não nas nem no nos nós nossa nosso nunca o onde os ou outra outro "
        "para pela pelo por porque porém pouco quando que quem se sem sempre ser seu sim sob sobre sua também todo "
        "todos três tudo um uma você vocês",
    ),
    "nl": SentenceRules(
        never="dhr mevr mw dr prof ir ing drs mr nr blz art fig afb tab hfdst vgl bijv bv o.a d.w.z m.a.w ca st",
        seldom="enz etc a.u.b b.v n.v",
        starters="aan al alle alleen als altijd bij daar daarna dan dat de deze die dit door dus een eerst elk en er "
        "geen haar heeft het hier hij hoe hun ik in is ja je maar me meer men met mijn na naar nee niet niemand nog nu "
        "of om omdat ons onze ook op over soms te tegen toch toen tot twee u uit vaak van veel voor waar waarom "
        "wanneer want was wat we wel wie wij ze zij zijn zo zonder",
    ),
    "pl": SentenceRules(
        never="dr prof inż mgr p pp św ul al nr str rys tab np tj tzn m.in ok gen płk ks red",
        seldom="itd itp r w",
        starters="a ale bo co czy dla do dziś gdy gdzie i ich ja jak jednak jego jej jest jeśli każdy kiedy kto która "
        "który lecz mamy mimo może my na nad nie nikt o od on ona oni one oraz po pod potem przed przez przy są się "
        "ta tak także tam te ten teraz to tu ty w we więc wszyscy wtedy z za ze że żeby",
        before_ordinals="w na do od dnia po przed i",
    ),
    "cs": SentenceRules(
        never="dr prof ing mgr p pí sv ul č čp str obr tab např tj tzn mj cca gen",
        seldom="atd apod n.l",
        starters="a aby ale ani ano až byl byla bylo co dnes do i ja já jak je jeho jejich její jen jestli ještě k "
        "když která kde každý má mnoho můj my na nad ne nebo nejen než nikdo o od on ona oni ono pak po pod pokud "
        "potom právě pro proto proč před přes s se si tak také tam tady ta tato tedy ten tento teprve to tyto u už v "
        "ve však vy z za ze že",
        before_ordinals="do od v ve dne na po před",
    ),
    "ru": SentenceRules(
        never="г ул д пр пл им см рис табл стр гл т п проф акад др напр тыс млн млрд руб св",
        seldom="гг т.д т.п т.е вв",
        starters="а без был была было были в вам вас вот все всё вы где да даже для до его ее её ей если есть еще ещё "
        "же за затем здесь и из или им их к каждый как когда кто которые которая который кроме ли мне много может мой "
        "мы на над надо не нет ни но о об однако он она они оно от по под поэтому потом при с сегодня сейчас со так "
        "также там те тем теперь то тогда тоже только ты у уже хотя чем через что чтобы эта эти это этот я",
    ),
    "uk": SentenceRules(
        never="м вул буд пл ім див рис табл стор с проф акад напр тис млн млрд грн св п",
        seldom="р рр т.д т.п ін",
        starters="а але без був була було були в вам вас ви від він вона вони воно все всі де для до ж за з зараз і із "
        "інші й його її їх її каже кожен коли ми може на над не немає ні о однак от по потім при про проте та так "
        "також там те тепер ти тому то тоді тут у усі хоча хто це цей ця ці чи через що щоб я як якщо",
    ),
    "el": SentenceRules(
        never="κ κα δρ καθ π.χ σελ αρ εικ πιν αγ δηλ βλ",
        seldom="κ.λπ κλπ κ.ά μ.χ π.χρ",
        starters="αλλά αν από αυτά αυτή αυτό αυτός για δεν είναι εκεί ένα ένας έτσι εδώ εμείς εγώ η θα και κάθε "
        "με μετά μια μία μόνο να ο οι όλα όλοι όμως όπως όταν ότι πολλά πολλοί πότε που πού σε στα στη στην στο στον "
        "τα τη την της τι το τον του τότε των τώρα ωστόσο",
        marks=";",
    ),
    "sv": SentenceRules(
        never="dr prof t.ex bl.a d.v.s s.k kl nr sid fig tab ca jfr st inkl exkl",
        seldom="osv m.fl m.m etc",
        starters="alla allt att av bara de den denna det detta dock du då där därför efter eller en ett för från ha "
        "han har hon hur här i idag inga ingen inte ja jag kan man med men mycket många ni nu när nej och om också på "
        "sedan som så till under vad var vi vid är även",
    ),
    "da": SentenceRules(
        never="dr prof hr fr f.eks bl.a d.v.s dvs kl nr s fig tab ca jf skt d inkl",
        seldom="osv m.fl m.m mv etc",
        starters="af alle alt at da de den denne der derfor det dette dog du efter eller en er et for fra han har her "
        "hun hvad hvis hvor hvordan i ikke ingen ja jeg kan man med men mange meget nej ni nu når og også om på senere "
        "som så til under var ved vi",
        before_ordinals="den d til fra på og",
    ),
    "tr": SentenceRules(
        never="dr prof doç sn av mim müh no s cad sok apt örn bkz st",
        seldom="vb vs",
        starters="ama ancak ben biz bir bu bunlar bunun burada çok çünkü da daha de en fakat gibi hem her ile ise "
        "için kim ne neden o onlar ona onu orada sen siz sonra şimdi şu ve veya ya",
        ordinals=True,
    ),
    "hu": SentenceRules(
        never="dr prof ifj id özv pl ill kb sz u",
        seldom="stb",
        starters="a akkor az azonban azért ahogy aki amely ami amikor bár csak de egy én és ez ezek ezért ezután ha "
        "hanem hogy hol is itt ki lehet majd még mert mi miért mikor minden mint most nem nincs ő ők ott pedig s sem "
        "senki te ti tehát úgy vagy van",
        ordinals=True,
    ),
    "fi": SentenceRules(
        never="esim tri prof ts ks mm n nro s kpl",
        seldom="jne ym yms",
        starters="ei ehkä en että hän he ja joka jos jossa kaikki kuin kun kuka me mikä minä miksi mitä mutta myös ne "
        "niin nyt olen on ovat se sen sinä sitten siis tai te tämä tässä vain vaikka",
    ),
    "ja": SentenceRules(goes_on=("と", "って", "という", "など", "の", "を", "が", "は", "に", "で", "も")),
}
#: Languages with the rules, or the library's rules, of another.
_AS: Final = {"cmn": "zh", "yue": "zh", "hak": "zh", "nb": "da", "nn": "da", "no": "da", "sk": "cs", "und": "en"}
_LIBRARY: Final = {**_AS, "nb": "no", "nn": "no", "no": "no", "sk": "sk"}


def rules_for(language: str) -> SentenceRules:
    """Return the rules of a BCP 47 tag, such as "de-AT"; of languages without any, rules that say nothing."""
    primary = _primary(language)
    return _RULES.get(_AS.get(primary, primary), _NO_RULES)


def library_language(language: str) -> str:
    """Return the name by which sentencex knows the language of a BCP 47 tag."""
    primary = _primary(language)
    return _LIBRARY.get(primary, primary)


def _primary(language: str) -> str:
    return language.split("-")[0].lower() or "en"
